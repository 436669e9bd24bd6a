"""What a permission rule lets an agent do without being asked, in any tool's spelling.

A rule is ``Tool`` or ``Tool(pattern)``. In a pattern of a shell ``:*`` at the end is the same as `` *``.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from pigi.domain.resources.risks.commands import CONTAINERS, check_command, pipes_a_download
from pigi.domain.resources.risks.words import LAUNCHERS, PRIVILEGED, SHELLS, commands_of, program_of, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_RULE = re.compile(r"\s*([^()]*?)\s*(?:\((.*)\))?\s*", re.DOTALL)
_ANY_TOOL = re.compile(r"(?:mcp)?[_/.]*\*[*_/.]*|all|any")
_ALL_OF_IT = re.compile(r"[\s*?:./\"']*")
_LAST_WILDCARD = re.compile(r":\*+\s*$")
_SHELL_TOOLS: Final = frozenset({
    "bash", "shell", "sh", "zsh", "terminal", "execute", "exec", "runshellcommand", "shelltool", "bashtool",
    "runcommand", "runcommands", "runinterminal", "runterminalcommand", "runterminalcmd", "execcommand",
    "executecommand", "powershell", "pwsh", "cmd", "command", "localshell", "codeexecution",
})  # fmt: skip
_FILE_TOOLS: Final = frozenset({"read", "edit", "write", "multiedit", "notebookedit", "glob", "grep", "ls"})
_OUTSIDE = re.compile(
    r"//|~|/(?:etc|home|root|users|var|private|tmp)\b|[A-Za-z]:[\\/]|(?:\./)?\.\.(?:[\\/]|$)|\$\{?HOME", re.IGNORECASE
)
_INTERPRETERS: Final = frozenset({
    "python", "pypy", "ipython", "node", "nodejs", "ts-node", "tsx", "ruby", "irb", "perl", "php", "lua", "luajit",
    "osascript", "awk", "gawk", "mawk", "nawk", "rscript", "r", "julia", "groovy", "jshell", "scala", "tclsh",
    "expect", "elixir", "iex", "erl", "ghci", "swift", "cscript", "wscript", "mshta", "gdb", "vim", "nvim", "emacs",
})  # fmt: skip
_CODE_FLAGS = re.compile(
    r"-[a-z]*[ce]|--?(?:eval|exec|command|print|encodedcommand|enc|expression)|-p|/[ck]", re.IGNORECASE
)
_RUNNERS: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(
        ("npx", "bunx", "uvx", "pnpx", "dotenv", "nix-shell", "wsl", "ssh", "sshpass", "tmux", "screen", "script"),
        ("",),
    ),
    **dict.fromkeys(("pipx", "go", "poetry", "pipenv", "pdm", "hatch", "rye", "conda"), ("run",)),
    "npm": ("exec", "x"), "yarn": ("dlx", "exec"), "pnpm": ("dlx", "exec"), "bundle": ("exec",),
    "bun": ("x", "run", "-e", ""), "deno": ("run", "eval", "repl", ""), "uv": ("run", "tool run"),
    "mise": ("exec", "x"), "direnv": ("exec",), "dotnet": ("script", "exec"), "nix": ("run", "shell"),
    "kubectl": ("exec",), "oc": ("exec",), "docker-compose": ("run", "exec"),
}  # fmt: skip
"""Programs that run another one which is named to them, each with the sub-commands that do."""
_ANY_CODE: Final = SHELLS | _INTERPRETERS | PRIVILEGED | LAUNCHERS.keys()
_FINDERS: Final = frozenset({"find", "fd", "fdfind"})


def tool_of(rule: str) -> tuple[str, str | None]:
    """The tool of a rule and what it is held to, None for a rule that names the tool alone."""
    found = _RULE.fullmatch(rule)
    return (found[1], found[2]) if found else (rule.strip(), None)


def is_readable(rule: str) -> bool:
    """Whether ``rule`` has the form that tools document: anything else they pass over in silence."""
    tool, _ = tool_of(rule)
    return bool(tool) and "(" not in tool and ")" not in tool and "\n" not in tool


def allows_everything(rule: str) -> bool:
    """Whether ``rule`` lets every tool, or every command, through as it stands."""
    tool, pattern = tool_of(rule)
    plain = tool.lower()
    if _ANY_TOOL.fullmatch(plain):
        return True
    if not _is_shell(plain):
        return False
    return pattern is None or any(_is_open(words) for words in _commands(pattern)) or not _commands(pattern)


def check_allowed(rule: str) -> Iterator[str]:
    """What follows from letting ``rule`` through unasked: ids of rules, each once."""
    tool, pattern = tool_of(rule)
    if allows_everything(rule):
        yield "allows-everything"
        return
    if pattern is None:
        return
    if _is_shell(tool.lower()):
        yield from _check_shell(pattern)
    elif re.sub(r"[^a-z]", "", tool.lower()) in _FILE_TOOLS and reaches_outside(pattern):
        yield "reaches-outside"


def reaches_outside(place: str) -> bool:
    """Whether a path or glob is not below the project: of the machine, of somebody's home, or above."""
    return _OUTSIDE.match(place.strip()) is not None or ".." in re.split(r"[/\\]", place)


def _is_shell(tool: str) -> bool:
    return re.sub(r"[^a-z]", "", tool.rpartition("/")[2]) in _SHELL_TOOLS


def _check_shell(pattern: str) -> Iterator[str]:
    commands = _commands(pattern)
    found = ["runs-any-code"] if any(_runs_any_code(words) for words in commands) else []
    run = (rule for words in commands for rule in check_command(words) if rule != "runs-a-shell")
    found += ["allows-privileges" if rule == "raises-privileges" else rule for rule in run]
    if pipes_a_download(pattern):
        found.append("pipes-a-download")
    yield from dict.fromkeys(found)


def _commands(pattern: str) -> list[list[str]]:
    return commands_of(_LAST_WILDCARD.sub(" *", pattern))


def _is_wildcard(word: str) -> bool:
    return "*" in word and _ALL_OF_IT.fullmatch(word) is not None


def _is_open(words: Sequence[str]) -> bool:
    """Whether a command may be any: its program is a wildcard, or begins with one."""
    return words[0].startswith("*") or _ALL_OF_IT.fullmatch("".join(words)) is not None


def _runs_any_code(words: Sequence[str]) -> bool:
    """Whether a command lets any other run: through a launcher, a shell, an interpreter or a container."""
    rest = unwrapped(words)
    if not rest or (len(rest) < len(words) and _is_open(rest)):
        return True
    program, arguments = program_of(rest[0]), rest[1:]
    if "*" in program:
        return any(fnmatchcase(each, program) for each in _ANY_CODE)
    if program in _FINDERS:
        return any(_is_wildcard(word) for word in arguments)
    if program in CONTAINERS:
        return _names_nothing(arguments, ("run", "exec", "compose exec", "compose run", "container run", ""))
    if program in _RUNNERS:
        return _names_nothing(arguments, _RUNNERS[program])
    return (program in SHELLS or program in _INTERPRETERS) and _reads_any(program, arguments)


def _names_nothing(arguments: Sequence[str], ways: Sequence[str]) -> bool:
    """Whether what is to be run is left open: ``npx *``, ``docker run *``."""
    if not arguments:
        return False
    for way in ways:
        lead = way.split()
        if list(arguments[: len(lead)]) == lead:
            named = [word for word in arguments[len(lead) :] if not word.startswith("-")]
            return (bool(way) and not named) or (bool(named) and _is_wildcard(named[0]))
    return False


def _reads_any(program: str, arguments: Sequence[str]) -> bool:
    """Whether a shell or interpreter is left to run what is typed after it or sent to it."""
    for position, word in enumerate(arguments):
        if _is_wildcard(word):
            return True
        following = arguments[position + 1] if position + 1 < len(arguments) else "*"
        if _CODE_FLAGS.fullmatch(word):
            inner = commands_of(following)
            return _is_wildcard(following) or (program in SHELLS and any(map(_opens, inner)))
        if word == "-m":
            return _is_wildcard(following)
        if not word.startswith("-"):
            return False
    return True


def _opens(words: Sequence[str]) -> bool:
    return _is_open(words) or _runs_any_code(words)
