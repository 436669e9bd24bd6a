"""Every lint rule: its level, the fixed sentence that is shown and sent to the model, and its source.

Ids are wire names and never change. A sentence never holds content: it leaves for the model in the repair
turn (P14) and may be logged. ``error`` means that the resource must not be delivered as it is; ``warning``
means that a person should look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class LintRule:
    """``source`` is the outside rule, incident or document that the rule follows."""

    level: Level
    sentence: str
    source: str


RULES: Final[dict[str, LintRule]] = {
    # Any kind
    "not-a-draft": LintRule(
        "error",
        "The answer must be one JSON object of the given schema and within its limits.",
        "Pigi: nothing else can be stored",
    ),
    "name-differs": LintRule(
        "error", "The name must be exactly the requested name.", "Pigi: a draft is kept under its name"
    ),
    "literal-secret": LintRule(
        "error",
        "A literal secret must become a secret slot with a name and a purpose.",
        "Pigi: slots, never values; OWASP Secrets Management",
    ),
    "declared-example": LintRule(
        "warning",
        "This looks like a secret; whoever saved it said that it is an example.",
        "Pigi: no example is kept without a name behind it",
    ),
    "maybe-a-secret": LintRule(
        "warning", "This value looks random; if it is a secret, make it a secret slot.", "OWASP Secrets Management"
    ),
    "hidden-characters": LintRule(
        "error", "Characters that hide or turn text must be removed.", "Unicode UTS 39 and UAX 9; CVE-2021-42574"
    ),
    "invisible-characters": LintRule(
        "warning", "A character here cannot be seen; remove it unless it belongs there.", "Unicode UTS 39"
    ),
    "hidden-comment": LintRule(
        "warning",
        "An HTML comment is hidden from readers of the rendered text; say it openly.",
        "Claude Code memory docs: block comments are stripped",
    ),
    "switches-off-approval": LintRule(
        "error",
        "Nothing may switch off approval, sandboxing or permission checks.",
        "Claude Code permission modes; Codex and Gemini CLI flags",
    ),
    "mentions-no-approval": LintRule(
        "warning",
        "The text mentions a way to switch off approval; check that it does not ask for it.",
        "Claude Code permission modes",
    ),
    "starts-with-front-matter": LintRule(
        "error",
        "The text must not start with a line of three hyphens, which tools read as front matter.",
        "Claude Code and Cursor: YAML front matter may carry hooks",
    ),
    "listed-twice": LintRule("error", "The same name must not be set twice.", "POSIX environ; RFC 9110, section 5.3"),
    "changes-what-runs": LintRule(
        "error",
        "This variable changes which code runs or where traffic goes and must not be set.",
        "ld.so(8), bash(1), Node.js, Python, git and Anthropic SDK docs",
    ),
    "refers-to-a-variable": LintRule(
        "warning",
        "Tools disagree on references inside values; use a secret slot instead.",
        "Each tool's docs: unset references are kept, emptied or prompted for",
    ),
    "outer-space": LintRule(
        "warning", "A value starts or ends with a space, which tools do not trim.", "Claude Code MCP docs"
    ),
    # Agents
    "inherits-all-tools": LintRule(
        "warning",
        "No tools are listed, so the agent gets all that its host has.",
        "Claude Code subagents docs: omitted tools are inherited",
    ),
    "may-run-anything": LintRule(
        "warning",
        "The agent may run any command; list narrower tools if it can do without.",
        "Least privilege, NIST SP 800-53 AC-6",
    ),
    "model-is-pinned": LintRule(
        "warning",
        "A full model id stops working when the provider retires it; an alias does not.",
        "Claude Docs, model deprecations",
    ),
    # MCP servers
    "reserved-name": LintRule(
        "error", "This server name is reserved by a tool; choose another.", "Claude Code MCP docs, reserved names"
    ),
    "not-encrypted": LintRule(
        "error",
        "A server that is not on this machine must be reached over https.",
        "MCP specification, authorization: HTTPS",
    ),
    "runs-a-shell": LintRule(
        "warning",
        "The server is started through a shell; start the program directly.",
        "MCP security best practices; CWE-78",
    ),
    "pipes-a-download": LintRule("error", "Nothing may be downloaded and run in one step.", "CWE-494"),
    "raises-privileges": LintRule("error", "The server must not be started with raised privileges.", "CWE-250"),
    "unpinned-package": LintRule(
        "warning", "The package has no fixed version, so it can change without review.", "OWASP CICD-SEC-3"
    ),
    "command-holds-arguments": LintRule(
        "warning",
        "The command holds spaces; put each argument in the list of arguments.",
        "Claude Code and Codex MCP docs: command is one program",
    ),
    # Documents
    "glob-leaves-project": LintRule(
        "error",
        "A glob must be relative to the project and must not climb out of it.",
        "gitignore(5); Cursor and Claude Code rules docs",
    ),
    "applies-to-nothing": LintRule(
        "warning", "It applies with files and names none, so it never applies by itself.", "Cursor rules docs: globs"
    ),
    "globs-without-effect": LintRule(
        "warning", "It always applies, whatever files it names.", "Cursor rules docs: alwaysApply"
    ),
    "nothing-to-decide-by": LintRule(
        "warning",
        "A model decides when it applies, and no description says what it is about.",
        "Cursor rules docs: description; Windsurf rules docs: model_decision",
    ),
    "long-document": LintRule(
        "warning",
        "Documents over 200 lines are followed less well; split it.",
        "Claude Code memory docs: target under 200 lines",
    ),
    "imports-a-file": LintRule(
        "warning", "A line that starts with @ makes Claude Code import a file.", "Claude Code memory docs: imports"
    ),
    # Settings
    "allows-everything": LintRule(
        "error",
        "A rule that allows every command or every tool must be narrowed.",
        "Claude Code permission rules; NIST SP 800-53 AC-6",
    ),
    "contradicts-itself": LintRule(
        "warning",
        "The same rule is in two lists; the strictest wins.",
        "Claude Code permission rules: deny, ask, allow",
    ),
    "no-rules": LintRule(
        "warning", "No permission rule is set, so the tool's own defaults hold.", "Claude Code permission rules"
    ),
}

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
