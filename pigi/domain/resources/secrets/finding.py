"""Finding secrets where configuration is written, so that they are refused before they are stored."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pigi.domain.resources.secrets.names import Hint, hint_of, is_public, names_a_secret
from pigi.domain.resources.secrets.shapes import shaped
from pigi.domain.resources.secrets.text import in_commands, placed
from pigi.domain.resources.secrets.values import (
    bare,
    is_key,
    is_placeholder,
    is_stand_in,
    is_typed_row,
    is_weak,
    is_wordy,
    looks_random,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


@dataclass(frozen=True, repr=False)
class Secret:
    """A stretch of a text that looks like a secret. ``kind`` is safe to show, the stretch itself is not.

    ``sure`` is False where a person should look: it is stored, with a warning. ``verified`` says that the shape leaves
    no doubt, as a right checksum does: nobody can call it an example.
    """

    kind: str
    start: int
    end: int
    sure: bool = True
    verified: bool = False


_PHRASE = re.compile(r"[a-z]{3,8}(?: [a-z]{3,8}){11,23}")
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}")
"""Four times four letters, as Google gives them out for mail."""
_HEX = re.compile(r"(?:0x)?[0-9a-f]{24,}|(?:0x)?[0-9A-F]{24,}")
_MADE = re.compile(
    r"(?!md|sha)[a-z]{2,12}(?:[_-][a-z]{2,12}){0,2}[_-][0-9a-f]{32,}|(?=[a-z]*\d)(?=.*[g-z])[a-z0-9]{36,}|"
    r"(?!md|sha)(?:[a-z0-9]{2,12}-){1,3}[0-9a-f]{32}(?:-[a-z0-9]{1,40}){0,4}"
)
"""Digits behind a prefix, or a row of letters and digits: long enough for a key."""
_HASHES: Final = frozenset({24, 32, 40, 56, 64, 96, 128})
"""Digits of an object's id and of hashes, MD5 to SHA-512: of that length anything may be."""
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://\S*", re.IGNORECASE)
_FLAG = re.compile(r"--?([A-Za-z][\w.-]{0,63})(?:[=:](.*))?", re.DOTALL)
_USER_FLAGS: Final = frozenset({"e", "env", "build-arg", "header", "H", "u", "user"})
_LONGEST: Final = 8_192
_SHORTEST_TOKEN: Final = 8
_SHORTEST_PASSWORD: Final = 4
_LONG_WORDS: Final = 16


def find_in_text(text: str, *, door: bool = False) -> tuple[Secret, ...]:
    """The secrets in ``text``, in order, none inside another; ``door`` says that it is the address of a server."""
    found = [Secret(*shape) for shape in shaped(text)]
    found += [Secret(*place) for place in placed(text, door=door)]
    return tuple(_apart(found))


def find_in_value(name: str, value: str) -> tuple[Secret, ...]:
    """The secrets in the value of a variable, header or flag called ``name``."""
    found = find_in_text(value)
    if is_public(name):
        return tuple(replace(one, sure=one.verified) for one in found)
    # An address was looked at part by part, and nothing so long is one key or password.
    if found or len(value) > _LONGEST or not value.strip() or _URL.fullmatch(value):
        return found
    hint, plain = hint_of(name), bare(value)
    sure = _is_typed(hint, plain) if is_placeholder(value) else _is_sure(hint, plain)
    if sure is None or _says_its_name(name, plain):
        return ()
    kind = "a password" if hint is Hint.PASSWORD else "a key or token"
    start = value.find(plain)
    return (Secret(kind, start, start + len(plain), sure=sure),)


def _is_odd_hex(value: str) -> bool:
    return _HEX.fullmatch(value) is not None and len(value) not in _HASHES


def _says_its_name(name: str, value: str) -> bool:
    """Whether ``value`` only repeats what it is called, as ``JIRA_PASSWORD=jira_pass`` does."""
    words = set(re.split(r"[\W_]+", name.lower()))
    rest = " ".join(word for word in re.split(r"[\W_]+", value.lower()) if word not in words)
    return not rest or (is_wordy(value) and is_stand_in(rest)) or _letters(value) in _letters(name)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def _is_sure(hint: Hint, value: str) -> bool | None:
    """Whether it is a secret for certain, only perhaps, or, if None, not."""
    if hint is Hint.NOTHING:
        return False if looks_random(value) or _is_odd_hex(value) or _MADE.fullmatch(value) else None
    if is_key(value) or _PHRASE.fullmatch(value):
        return True
    if hint is Hint.KEY or (value.isupper() and names_a_secret(value)):
        return None
    return _is_made_up(value) if hint is Hint.PASSWORD else _is_token(value)


def _is_typed(hint: Hint, value: str) -> bool | None:
    """Only perhaps a secret: what stands for one, but as a lazy hand also types a real one."""
    typed = (is_key(value) and is_typed_row(value)) or (hint is Hint.PASSWORD and is_weak(value))
    return False if hint >= Hint.TOKEN and typed else None


def _is_made_up(value: str) -> bool | None:
    """Whether it may be a password that somebody made up; a sentence seldom is one."""
    if _APP_PASSWORD.fullmatch(value):
        return True
    if " " in value and any(word.isalpha() for word in value.split()):
        return False
    return True if len(value) >= _SHORTEST_PASSWORD else None


def _is_token(value: str) -> bool | None:
    """Whether it may be a token that is no key by its looks; words, with numbers among them, seldom are."""
    if " " in value:
        return False
    if is_wordy(re.sub(r"[-_. ]\d{1,4}(?![^-_. ])", "", value)):
        return False if len(value) >= _LONG_WORDS else None
    return True if len(value) >= _SHORTEST_TOKEN else None


def find_in_arguments(arguments: Sequence[str], command: str = "") -> tuple[tuple[Secret, ...], ...]:
    """The secrets in each argument, as in ``--token=abc``, ``--token abc``, ``-e TOKEN=abc`` and ``TOKEN=abc``.

    ``command`` is the program that gets them, which may have a way of its own, as ``mysql -pabc`` is.
    """
    line, start = " ".join((command, *arguments)), len(command) + 1
    places = [Secret(*place) for place in in_commands(line)]
    found = []
    flag = ""
    for argument in arguments:
        match = _FLAG.fullmatch(argument)
        if match:
            flag, value = match[1], match[2] or ""
            here = _moved(find_in_value(flag, value), len(argument) - len(value)) if value else find_in_text(argument)
            flag = "" if value else flag
        else:
            here = _in_argument(flag, argument)
            flag = ""
        end = start + len(argument)
        own = [one for one in places if start <= one.start and one.end <= end]
        found.append(here or find_in_text(argument) or _moved(own, -start))
        start = end + 1
    return tuple(found)


def _in_argument(flag: str, argument: str) -> tuple[Secret, ...]:
    name, separator, value = argument.partition("=" if flag not in {"header", "H"} else ":")
    if separator and value and re.fullmatch(r"[\w.-]{1,128}", name):
        return _moved(find_in_value(name, value), len(argument) - len(value))
    if flag in {"u", "user"} and ":" in argument:
        name, _, value = argument.partition(":")
        return () if value.isdigit() else _moved(find_in_value("password", value), len(name) + 1)
    return find_in_value(flag, argument) if hint_of(flag) else ()


def _moved(found: Iterable[Secret], by: int) -> tuple[Secret, ...]:
    return tuple(Secret(one.kind, one.start + by, one.end + by, one.sure, one.verified) for one in found)


def _apart(found: list[Secret]) -> Iterator[Secret]:
    """The first and surest of those that overlap."""
    end = -1
    for one in sorted(found, key=lambda one: (one.start, not one.verified, -one.end)):
        if one.start >= end:
            yield one
            end = one.end
