"""Where secrets stand in an address: before the host, in its path, its query and its fragment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pigi.domain.resources.secrets.names import Hint, hint_of
from pigi.domain.resources.secrets.values import has_random_part, is_key, is_placeholder, is_wordy, looks_random

if TYPE_CHECKING:
    from collections.abc import Iterator


class Place(NamedTuple):
    """A value that is a secret by where it stands: what it is, its place in the text, and whether for certain."""

    kind: str
    start: int
    end: int
    sure: bool = True


_URL = re.compile(r"""(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s"'<>`\\]{1,4000}""", re.IGNORECASE)
_IMAGE = re.compile(r"\.(?:svg|png|gif|jpe?g|webp|ico)$", re.IGNORECASE)
_PARTS = re.compile(
    r"(?P<scheme>[^:]+)://(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL
)
_PAIR = re.compile(r"(?:^|[?#&;])([^=&#;?]{1,100})=([^&#;]{1,4000})")
# What stands before a key in a path, or last of all; an article about MCP has it in its title.
_DOORS = re.compile(r"hook|mcp|sse|token|secret", re.IGNORECASE)
_LAST_DOOR = re.compile(r"/(?:mcp|sse|messages?|(?:web)?hooks?)/?$", re.IGNORECASE)
_SEGMENT = re.compile(r"[^/]{24,}")
_HEX = re.compile(r"[0-9a-f]{32,}")
_COMMITS = re.compile(r"/(?:blob|tree|commits?|raw|sha|archive)/$")
# The part of such an address before the @ is meant to be public.
_PUBLIC_USERS: Final = "sentry"
_SHORTEST: Final = 8
_KEY_IN_URL: Final = "a key in a URL"


def in_addresses(text: str, *, door: bool = False) -> Iterator[Place]:
    """The secrets in the addresses in ``text``; ``door`` says that it is the address of a server."""
    if "://" not in text:
        return
    for match in _URL.finditer(text):
        # What ends a sentence ends no address, but dots that leave something out belong to it.
        url = match[0] if match[0].endswith("...") else match[0].rstrip(").,;")
        parts = _PARTS.fullmatch(url)
        if parts is None:
            continue
        for one in _in_parts(parts, door=door):
            yield one._replace(start=match.start() + one.start, end=match.start() + one.end)


def _in_parts(parts: re.Match[str], *, door: bool) -> Iterator[Place]:
    yield from _in_user(parts)
    if _IMAGE.search(parts["path"]):
        return
    at = parts.start("rest")
    for pair in _PAIR.finditer(parts["rest"]):
        if _is_secret_parameter(hint_of(pair[1]), pair[2]):
            yield Place(_KEY_IN_URL, at + pair.start(2), at + pair.end(2))
    yield from _in_path(parts["path"], parts.start("path"), parts["host"], door=door)


def _in_user(parts: re.Match[str]) -> Iterator[Place]:
    user, start = parts["user"] or "", parts.start("user")
    name, colon, password = user.partition(":")
    if colon and password and not is_placeholder(password):
        yield Place("credentials in a URL", start + len(name) + 1, start + len(user))
    # A key alone stands in the name's place, with or without the colon behind it.
    elif not password and is_key(name) and not is_placeholder(name) and _PUBLIC_USERS not in parts["host"]:
        yield Place("credentials in a URL", start, start + len(name))


def _is_secret_parameter(hint: Hint, value: str) -> bool:
    if hint is Hint.NOTHING or is_placeholder(value) or len(value) < _SHORTEST:
        return False
    return is_key(value) or (hint > Hint.KEY and not is_wordy(value))


def _in_path(path: str, at: int, host: str, *, door: bool) -> Iterator[Place]:
    for segment in _SEGMENT.finditer(path):
        before = path[: segment.start()]
        if not (door or _DOORS.search(host) or _DOORS.search(before) or _LAST_DOOR.search(path)):
            continue
        if looks_random(segment[0]) and has_random_part(segment[0]) and not is_placeholder(segment[0]):
            yield Place(_KEY_IN_URL, at + segment.start(), at + segment.end())
        elif door and _HEX.fullmatch(segment[0]) and not _COMMITS.search(before):
            # The id of a page or an account looks the same.
            yield Place(_KEY_IN_URL, at + segment.start(), at + segment.end(), sure=False)
