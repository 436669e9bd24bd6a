"""What a command that is run as it stands may do: raise its rights, leave its container, run what it downloads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pigi.domain.resources.risks.variables import variable_rule
from pigi.domain.resources.risks.words import (
    LAUNCHERS,
    PRIVILEGED,
    SHELLS,
    commands_of,
    program_of,
    unwrapped,
    words_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTAINERS: Final = frozenset({"docker", "podman", "nerdctl", "container", "finch"})
# Windows' own names stand among them: a shared configuration is read on every system.
_LOADER = r"(?:curl|wget|iwr|irm|invoke-webrequest|invoke-restmethod|fetch|aria2c|http)\b"
_SHELLED = r"(?:ba|z|da|k|a)?sh|fish|iex|invoke-expression|pwsh"
_SCRIPTED = r"python[\d.]*|node|deno|bun|ruby|perl|php"
# With code of its own, such as `python -m json.tool`, an interpreter takes the download for data.
_RUNNER = rf"(?:\S{{0,60}}/)?(?:(?:{_SHELLED})\b|(?:{_SCRIPTED})\b(?!\s{{1,9}}-{{0,2}}[a-z]{{0,9}}[cmenpr]\b))"
_LOADS = re.compile(_LOADER, re.IGNORECASE)
_RUN_FILES: Final = SHELLS | {"chmod", "python", "node", "ruby", "perl", "php", "deno", "bun", "installer", "msiexec"}
_PIPED = re.compile(
    rf"\b{_LOADER}[^|\n]{{0,1000}}\|(?:[^|\n]{{0,200}}\|){{0,3}}\s{{0,20}}"
    rf"(?:(?:sudo|env|exec|xargs)\s{{1,20}}(?:-\S{{1,20}}\s{{1,20}}){{0,3}})?{_RUNNER}",
    re.IGNORECASE,
)
_SUBSTITUTED = re.compile(
    rf"(?:\b(?:eval|source|exec|{_SHELLED}|{_SCRIPTED})\b|(?:^|\s)\.)[^\n|;]{{0,100}}"
    # A parenthesis alone runs something in PowerShell and fish; `Bash(curl:*)` is a permission rule.
    rf"(?:<\(|\$\(|`|(?:(?<=\s)|(?<=iex)|(?<=expression))\()\s{{0,20}}{_LOADER}",
    re.IGNORECASE,
)
_HOST_PLACES = re.compile(
    r"""
    /(?:etc|root|var|var/run|run|proc|sys|dev|boot|usr|home|users|lib|opt)?/* | /(?:home|users)/[^/]+/*
    | ~/* | \$\{?HOME\}?/* | %USERPROFILE%[\\/]* | \$\{?env:(?:HOME|USERPROFILE)\}?[\\/]*
    | [a-z]:[\\/]* | [a-z]:[\\/]users(?:[\\/][^\\/]+)?[\\/]*
    | .*(?:docker|containerd|podman|crio)\.sock | .*/\.(?:ssh|aws|kube|gnupg|docker)/*
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OWNS = re.compile(
    r"--privileged(?:=true)?|--(?:pid|ipc|uts|userns|cgroupns)[= ]host|--cap-add[= ]\S+|--device[= ]\S+"
    r"|--security-opt[= ](?:\S*unconfined|label[:=]disable|no-new-privileges[:=]false)",
    re.IGNORECASE,
)
_NETWORK = re.compile(r"--net(?:work)?[= ]host", re.IGNORECASE)
# The colon of a drive and that of a reference are no separators.
_SOURCE = re.compile(r"(?:[A-Za-z]:(?=[\\/])|\$\{[^}]{0,200}\})?[^:]*")
_DEEPEST: Final = 4
_COMMAND_FLAG = re.compile(r"-[a-z]{0,8}c|--?command|/[ck]", re.IGNORECASE)
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


def check_command(words: Sequence[str], within: int = 0) -> Iterator[str]:
    """The rules that a command breaks when it is run; ``words`` are the program and its arguments.

    ``within`` is the number of shells that this command was handed to: of a command in a fifth no more is asked.
    """
    if not words:
        return
    yield from _check_wrapping(words)
    rest = unwrapped(words)
    program = program_of(rest[0]) if rest else ""
    if program in CONTAINERS:
        yield from _check_container(rest)
    if program in SHELLS:
        yield "runs-a-shell"
        if within < _DEEPEST:
            yield from (rule for rule in check_line(_handed_to(rest), within + 1) if rule != "runs-a-shell")
    if pipes_a_download(" ".join(words)):
        yield "pipes-a-download"


def _handed_to(words: Sequence[str]) -> str:
    """The commands that a shell is given to run: all that follows ``-c`` and its like."""
    for position, word in enumerate(words[1:], start=1):
        if _COMMAND_FLAG.fullmatch(word):
            return " ".join(words[position + 1 :])
    return ""


def check_line(text: str, within: int = 0) -> Iterator[str]:
    """The rules that a command line breaks, which a shell would run: each of its commands', once."""
    found = [rule for words in commands_of(text) for rule in check_command(words, within)]
    if pipes_a_download(text):
        found.append("pipes-a-download")
    yield from dict.fromkeys(found)


def pipes_a_download(text: str) -> bool:
    """Whether ``text`` downloads something and runs it in the same breath."""
    if _LOADS.search(text) is None:
        return False
    return any(shape.search(text) is not None for shape in (_PIPED, _SUBSTITUTED)) or _runs_what_it_stored(text)


def _runs_what_it_stored(text: str) -> bool:
    """Whether one command puts a download into a file that a later one runs."""
    stored: set[str] = set()
    for words in commands_of(text):
        rest = unwrapped(words)
        if rest and (rest[0] in stored or (program_of(rest[0]) in _RUN_FILES and stored.intersection(rest[1:]))):
            return True
        if rest and _LOADS.fullmatch(program_of(rest[0])):
            stored.update(_flags(rest, ("-o", "-O", "--output", ">", "--output-document")))
    stored.discard("")
    return False


def _check_wrapping(words: Sequence[str]) -> Iterator[str]:
    """What comes before the program proper: more rights, and variables that are set for it."""
    for position, word in enumerate(words[: len(words) - len(unwrapped(words))]):
        if program_of(word) in PRIVILEGED and (position == 0 or program_of(words[position - 1]) in LAUNCHERS):
            yield "raises-privileges"
        assigned = _ASSIGNED.fullmatch(word)
        if assigned and (rule := variable_rule(assigned[1], assigned[2])):
            yield rule
    if program_of(words[0]) in PRIVILEGED - LAUNCHERS.keys():
        yield "raises-privileges"


def _check_container(words: Sequence[str]) -> Iterator[str]:
    """``docker run`` and its like: what of the host the container gets. Flags may be ``--flag=value`` or two words."""
    text = " ".join(words)
    if _OWNS.search(text) or any(_HOST_PLACES.fullmatch(place) for place in _mounted(words)):
        yield "owns-the-host"
    if _NETWORK.search(text):
        yield "shares-the-network"
    for value in _flags(words, ("-e", "--env")):
        assigned = _ASSIGNED.fullmatch(value)
        if assigned and (rule := variable_rule(assigned[1], assigned[2])):
            yield rule


def _mounted(words: Sequence[str]) -> Iterator[str]:
    """The host's places that a container gets, as they are written."""
    for value in _flags(words, ("-v", "--volume")):
        found = _SOURCE.match(value)
        yield found[0] if found else ""
    for value in _flags(words, ("--mount",)):
        yield from (part.partition("=")[2] for part in value.split(",") if part.startswith(("source=", "src=")))


def _flags(words: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """The values of these options, in each of the ways in which they are written."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        for name in names:
            short = len(name) == 2  # noqa: PLR2004 - a hyphen and a letter
            if word == name or (short and re.fullmatch(rf"-[A-Za-z]+{name[1]}", word)):
                yield following
            elif word.startswith(f"{name}="):
                yield word.removeprefix(f"{name}=")
            elif short and word.startswith(name):
                yield word.removeprefix(name)


def argument_words(command: str, arguments: Sequence[str]) -> list[str]:
    """The words that a server is started with, also where its command holds some of the arguments."""
    first = words_of(command) if not re.match(r"[A-Za-z]:\\|/|\.", command) else [command]
    return [*first, *arguments]
