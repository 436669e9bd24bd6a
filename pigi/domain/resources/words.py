"""The words that lint rules look for, as data. `pigi.domain.resources.rules` names the sources."""

from __future__ import annotations

from typing import Final

# Flags and words that switch off approval in one of the tools. They have no use in a shared configuration.
APPROVAL_SWITCHES: Final = (
    "bypasspermissions",
    "dangerously-skip-permissions",
    "dangerously-bypass-approvals-and-sandbox",
    "allow-dangerously-skip-permissions",
    "--yolo",
    "approval-mode=yolo",
    "danger-full-access",
    "headershelper",
    "--trust-all-tools",
)

CODE_CHANGING_VARIABLES: Final = frozenset({
    "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "DYLD_LIBRARY_PATH", "BASH_ENV", "ENV",
    "PROMPT_COMMAND", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONHOME", "NODE_OPTIONS", "PERL5OPT", "RUBYOPT",
    "JAVA_TOOL_OPTIONS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "PATH", "ANTHROPIC_BASE_URL",
    "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NODE_TLS_REJECT_UNAUTHORIZED",
    "ANTHROPIC_CUSTOM_HEADERS",
})  # fmt: skip

RESERVED_SERVER_NAMES: Final = frozenset({
    "workspace", "claude-in-chrome", "computer-use", "claude-preview", "claude-browser",
})  # fmt: skip

SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "fish", "cmd", "cmd.exe", "powershell", "pwsh"})
PRIVILEGED_COMMANDS: Final = frozenset({"sudo", "doas", "su", "runas", "pkexec"})
# Commands that fetch a package and run it, so that a package without a version means "whatever is newest".
PACKAGE_RUNNERS: Final = frozenset({"npx", "bunx", "uvx", "pipx"})
ALLOW_EVERYTHING: Final = frozenset({"*", "Bash", "Bash(*)", "Bash(:*)", "Bash(**)", "Shell", "Shell(*)"})
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal"})

# Invisible: soft hyphen, zero-width space and joiners that no script needs, byte-order mark. Bidirectional
# controls and the tag block can make text read other than it runs. ZWJ and ZWNJ stay: emoji and Persian need them.
HIDDEN_CHARACTERS: Final = (
    (0x00AD, 0x00AD), (0x180E, 0x180E), (0x200B, 0x200B), (0x200E, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064),
    (0x2066, 0x206F), (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip
