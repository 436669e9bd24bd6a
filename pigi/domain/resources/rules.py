"""Every lint rule: its level, the fixed sentence that is shown and sent to the model, and its source.

Ids are wire names and never change. A sentence never holds content: it leaves for the model in the repair
turn (P14) and may be logged. ``error`` means that the resource is not saved as it is; ``warning`` means that a
person should look. Of most rules the organisation decides which it is; what real files commonly hold is a warning
until it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Level = Literal["error", "warning"]
Choice = Literal["refuse", "warn"]
"""What an organisation makes of a rule that it may decide about."""
CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)

_NAMED: Final[dict[str, Choice]] = {choice: choice for choice in CHOICES}


@dataclass(frozen=True)
class LintRule:
    """``source`` is the outside rule, incident or document that the rule follows.

    ``level`` holds unless the organisation chose another; ``fixed`` rules it cannot choose about. What Pigi drafts
    keeps ``strict`` rules too, where people may break them with a warning.
    """

    level: Level
    sentence: str
    source: str
    fixed: bool = False
    strict: bool = False


RULES: Final[dict[str, LintRule]] = {
    # Any kind
    "not-a-draft": LintRule(
        "error",
        "The answer must be one JSON object of the given schema and within its limits.",
        "Pigi: nothing else can be stored",
        fixed=True,
    ),
    "name-differs": LintRule(
        "error", "The name must be exactly the requested name.", "Pigi: a draft is kept under its name", fixed=True
    ),
    "literal-secret": LintRule(
        "error",
        "A literal secret must become a secret slot with a name and a purpose.",
        "Pigi: slots, never values; OWASP Secrets Management",
        fixed=True,
    ),
    "declared-example": LintRule(
        "warning",
        "This looks like a secret; whoever saved it said that it is an example.",
        "Pigi: no example is kept without a name behind it",
        fixed=True,
    ),
    "maybe-a-secret": LintRule(
        "warning",
        "This value looks random; if it is a secret, make it a secret slot.",
        "OWASP Secrets Management",
        fixed=True,
    ),
    "hidden-characters": LintRule(
        "error",
        "Characters that hide or turn text must be removed.",
        "Unicode UTS 39 and UAX 9; CVE-2021-42574",
        fixed=True,
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
        "The text must not start with front matter, the lines between two of three hyphens: "
        "put its name, description, tools and model into fields of their own, and leave the rest of it out.",
        "Claude Code and Cursor: YAML front matter may carry hooks",
        fixed=True,
    ),
    "listed-twice": LintRule(
        "error", "The same name must not be set twice.", "POSIX environ; RFC 9110, section 5.3", fixed=True
    ),
    "changes-what-runs": LintRule(
        "warning",
        "This variable changes which code runs: a loader, a search path, a start-up file or a helper program.",
        "ld.so(8), bash(1), git(1), Node.js and Python docs",
        strict=True,
    ),
    "redirects-traffic": LintRule(
        "warning",
        "This variable sends requests, packages or prompts to another address.",
        "curl(1) proxies; pip, npm and Go docs; SDK docs of model providers",
        strict=True,
    ),
    "changes-trust": LintRule(
        "warning",
        "This variable changes which certificates are trusted, or whether they are looked at.",
        "OpenSSL, Node.js, git and requests docs",
        strict=True,
    ),
    "odd-variable-name": LintRule(
        "warning",
        "Some systems cannot set a variable of this name; letters, digits and underscores work in all.",
        "POSIX, Environment Variables",
    ),
    "refers-to-a-variable": LintRule(
        "warning",
        "Only some tools know this way to refer to a variable; others keep it as text.",
        "Each tool's docs: ${VAR} is understood by most",
    ),
    "broken-reference": LintRule(
        "warning",
        "A reference to a variable has no name, or is not closed, so no tool can fill it in.",
        "Claude Code, Gemini CLI and VS Code docs",
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
    "nothing-to-delegate-by": LintRule(
        "warning",
        "No description says when to delegate to it, and Claude Code leaves out an agent without one.",
        "Claude Code subagents docs: description; VS Code custom agents docs",
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
    "maybe-not-encrypted": LintRule(
        "warning",
        "The server is reached without encryption; check that nobody else can read that network.",
        "MCP specification, authorization: HTTPS",
    ),
    "scheme-does-not-fit": LintRule(
        "warning",
        "A WebSocket's address begins with wss:// or ws://, any other with https:// or http://.",
        "RFC 6455, section 3; Claude Code MCP docs",
    ),
    "name-not-portable": LintRule(
        "warning",
        "Some tools take only letters, digits, hyphens and underscores in a server's name.",
        "Claude Code MCP docs; Codex and Gemini CLI tool names",
    ),
    "no-description": LintRule("warning", "Say in a description what this is for.", "Pigi: people look for it"),
    "approves-by-itself": LintRule(
        "warning",
        "Tools run without asking; list as few as possible.",
        "MCP specification, tools: a human in the loop; Gemini CLI trust",
        strict=True,
    ),
    "owns-the-host": LintRule(
        "error",
        "The container gets the machine itself: all rights, a host's folder, socket or namespace.",
        "Docker docs, run: privileged; CIS Docker Benchmark 5",
    ),
    "shares-the-network": LintRule(
        "warning",
        "The container is on the machine's own network and reaches all that listens there.",
        "CIS Docker Benchmark 5.9",
        strict=True,
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
        "warning", "A path after @ makes some tools import that file here.", "Claude Code memory docs: imports"
    ),
    # Settings
    "allows-everything": LintRule(
        "warning",
        "A rule that allows every command or every tool should be narrowed.",
        "Claude Code permission rules; NIST SP 800-53 AC-6",
        strict=True,
    ),
    "runs-any-code": LintRule(
        "warning",
        "Through a shell, an interpreter or a launcher this rule allows every command.",
        "Claude Code permission rules; NIST SP 800-53 AC-6",
        strict=True,
    ),
    "allows-privileges": LintRule("warning", "The rule lets commands run as another user.", "CWE-250", strict=True),
    "reaches-outside": LintRule(
        "warning", "This reaches outside of the project.", "Claude Code permissions: working directories", strict=True
    ),
    "unreadable-rule": LintRule(
        "warning",
        "This is not of the form Tool or Tool(pattern), so tools pass over it.",
        "Claude Code permission rules",
    ),
    "runs-hooks": LintRule(
        "warning", "Hooks run programs unasked on every member's machine.", "Claude Code hooks docs; CVE-2025-59536"
    ),
    "runs-a-status-line": LintRule(
        "warning",
        "This program runs unasked, again and again, on every member's machine.",
        "Claude Code status line docs",
    ),
    "runs-a-helper": LintRule(
        "warning", "This program runs unasked to hand out credentials or headers.", "Claude Code settings docs, helpers"
    ),
    "adds-a-marketplace": LintRule(
        "warning", "Plugins from this marketplace bring code of others.", "Claude Code plugin marketplaces docs"
    ),
    "enables-plugins": LintRule(
        "warning",
        "The plugins are switched on for everybody, with the code that they bring.",
        "Claude Code plugins docs",
    ),
    "weakens-the-sandbox": LintRule(
        "warning",
        "The sandbox is off, or some of it is.",
        "Claude Code sandboxing docs; Codex sandbox modes",
        strict=True,
    ),
    "trusts-all-servers": LintRule(
        "warning",
        "Every MCP server that a project brings is started unasked.",
        "Claude Code settings docs; CVE-2025-59536",
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
    "--trust-all-tools",
)

RESERVED_SERVER_NAMES: Final = frozenset({
    "workspace", "claude-in-chrome", "computer-use", "claude-preview", "claude-browser",
})  # fmt: skip
"""With hyphens for spaces, and in lower case."""

# Commands that fetch a package and run it, so that a package without a version means "whatever is newest".
PACKAGE_RUNNERS: Final = frozenset({"npx", "bunx", "uvx", "pipx", "pnpx"})
LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal"})


LENIENT: Final[Mapping[str, Choice]] = {rule: "warn" for rule, facts in RULES.items() if not facts.fixed}
"""The choice of who would refuse nothing that may be kept."""


def chosen(choices: Mapping[str, str]) -> dict[str, Choice]:
    """Those of ``choices`` that count: about rules that there are and that an organisation decides about."""
    return {
        rule: choice
        for rule, told in choices.items()
        if rule in RULES and not RULES[rule].fixed and (choice := _NAMED.get(told)) is not None
    }


def level_of(rule: str, choices: Mapping[str, Choice], *, strict: bool = False) -> Level:
    """How bad it is to break ``rule`` where ``choices`` are the organisation's; ``strict`` for what Pigi drafts.

    An unknown rule raises KeyError.
    """
    facts = RULES[rule]
    if facts.fixed or rule not in choices:
        return "error" if strict and facts.strict else facts.level
    return "error" if choices[rule] == "refuse" or (strict and facts.strict) else "warning"
