"""A command line taken apart: its words, its programs, and what only runs what follows it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORD = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+""")
_QUOTED = re.compile(r""""((?:[^"\\]|\\.)*)"|'([^']*)'""")
_JOINT = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*')|(?P<joint>&&|\|\||[;|\n]|(?<!>)&(?!>))""")
_VERSION = re.compile(r"(?<=[a-z])[\d.]+$")
_EXTENSION = re.compile(r"\.(?:exe|cmd|bat|ps1)$")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_AMOUNT = re.compile(r"\d+(?:\.\d+)?[smhd]?")

SHELLS: Final = frozenset({
    "sh", "bash", "zsh", "dash", "ash", "ksh", "fish", "csh", "tcsh", "cmd", "powershell", "pwsh", "nu", "busybox",
})  # fmt: skip
PRIVILEGED: Final = frozenset({"sudo", "doas", "su", "runas", "pkexec", "gsudo"})
# Each with its options that take the next word.
LAUNCHERS: Final[dict[str, frozenset[str]]] = {
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "--user", "--group"}),
    "doas": frozenset({"-u", "-C"}),
    "pkexec": frozenset({"--user"}),
    "gsudo": frozenset(),
    "runuser": frozenset({"-u"}),
    "env": frozenset({"-u", "-C", "-S", "--unset", "--chdir"}),
    "xargs": frozenset({"-I", "-n", "-P", "-L", "-d", "-a", "-E", "-s"}),
    "parallel": frozenset({"-j", "-S"}),
    "nice": frozenset({"-n"}),
    "ionice": frozenset({"-c", "-n"}),
    "timeout": frozenset({"-s", "-k", "--signal", "--kill-after"}),
    "watch": frozenset({"-n"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "flock": frozenset({"-w"}),
    "chroot": frozenset({"--userspec", "--groups"}),
    "systemd-run": frozenset({"-u", "-p", "-E", "--unit", "--property", "--setenv"}),
    "nsenter": frozenset({"-t", "--target"}),
    **dict.fromkeys(
        ("unshare", "nohup", "time", "setsid", "exec", "command", "builtin", "eval", "source", ".", "strace", "ltrace",
         "caffeinate", "unbuffer", "entr", "start", "call", "invoke-expression", "iex", "start-process"),
        frozenset(),
    ),
}  # fmt: skip


def words_of(text: str) -> list[str]:
    """The words of one command as a shell takes them, without their quotes; a quote that never closes is left out."""
    return [_QUOTED.sub(lambda found: found[1] or found[2] or "", word) for word in _WORD.findall(text)]


def commands_of(text: str) -> list[list[str]]:
    """The commands that ``text`` joins by ``&&``, ``;``, ``|`` and the like, each as its words."""
    parts, start = [], 0
    for found in _JOINT.finditer(text):
        if found["joint"]:
            parts.append(text[start : found.start()])
            start = found.end()
    return [words for part in (*parts, text[start:]) if (words := words_of(part))]


def program_of(word: str) -> str:
    """The program that a word names, without path, ending and version: ``/usr/bin/python3.12`` is ``python``."""
    name = _EXTENSION.sub("", re.split(r"[/\\]", word)[-1].lower())
    return _VERSION.sub("", name) or word


def unwrapped(words: Sequence[str]) -> list[str]:
    """``words`` without what only runs the rest, such as ``sudo -u x``, ``env A=b`` and ``timeout 5``."""
    rest = list(words)
    while rest and (program_of(rest[0]) in LAUNCHERS or _ASSIGNMENT.match(rest[0])):
        takes = LAUNCHERS.get(program_of(rest[0]), frozenset())
        rest = rest[1:]
        while rest and (rest[0].startswith("-") or _ASSIGNMENT.match(rest[0]) or _AMOUNT.fullmatch(rest[0])):
            rest = rest[2:] if rest[0] in takes else rest[1:]
    return rest
