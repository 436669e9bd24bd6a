"""The rules of MCP servers."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pigi.domain.resources import rules
from pigi.domain.resources.checks.entries import check_entries
from pigi.domain.resources.kinds import HttpTransport, McpServer, StdioTransport
from pigi.domain.resources.risks.commands import argument_words, check_command
from pigi.domain.resources.risks.references import check_references
from pigi.domain.resources.risks.words import program_of, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Broken = Iterator[tuple[str, str]]

_PORTABLE_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PINNED = re.compile(r"(?:@?[^@=\s]+)(?:@|==)\d[\w.+-]*")
_REFERENCE = re.compile(r"[$%{<]")
_NEAR = (".local", ".internal", ".lan", ".home", ".localhost", ".test", ".docker.internal")


def check_server(server: McpServer) -> Broken:
    """Every rule that the server breaks."""
    if re.sub(r"[\s_]+", "-", server.name.lower()) in rules.RESERVED_SERVER_NAMES:
        yield "reserved-name", "/name"
    if not _PORTABLE_NAME.fullmatch(server.name):
        yield "name-not-portable", "/name"
    if not server.description.strip():
        yield "no-description", "/description"
    if server.trust:
        yield "approves-by-itself", "/trust"
    if server.auto_approved_tools:
        yield "approves-by-itself", "/auto_approved_tools"
    transport = server.transport
    yield from _check_remote(transport) if isinstance(transport, HttpTransport) else _check_started(transport)


def _check_remote(transport: HttpTransport) -> Broken:
    yield from check_entries(transport.headers, "/transport/headers")
    yield from _check_url(transport.url, "/transport/url")
    socket = re.match(r"wss?:", transport.url, re.IGNORECASE) is not None
    if re.match(r"\w+:", transport.url) and socket != (transport.type == "ws"):
        yield "scheme-does-not-fit", "/transport/url"
    if transport.oauth and transport.oauth.metadata_url:
        yield from _check_url(transport.oauth.metadata_url, "/transport/oauth/metadata_url")


def _check_url(url: str, pointer: str) -> Broken:
    yield from ((rule, pointer) for rule in check_references(url) if rule == "broken-reference")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        yield "not-encrypted", pointer
        return
    if re.match(r"(?:http|ws):", url, re.IGNORECASE) and not _is_here(host):
        yield "maybe-not-encrypted" if _is_near(host) else "not-encrypted", pointer


def _is_here(host: str) -> bool:
    return host in rules.LOCAL_HOSTS or host.endswith(".localhost") or host.startswith("127.")


def _is_near(host: str) -> bool:
    """Whether a host is told by a variable, or is on a network of one's own: its name or address says so."""
    if _REFERENCE.search(host) or "." not in host.strip("[]") or host.endswith(_NEAR):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _check_started(transport: StdioTransport) -> Broken:
    yield from check_entries(transport.environment, "/transport/environment")
    words = argument_words(transport.command, transport.args)
    spaced = len(words) > len(transport.args) + 1 or (" " in transport.command and not _is_path(transport.command))
    if spaced:
        yield "command-holds-arguments", "/transport/command"
    yield from _check_run(words, len(words) - len(transport.args))
    for position, argument in enumerate(transport.args):
        if "broken-reference" in check_references(argument):
            yield "broken-reference", f"/transport/args/{position}"


def _is_path(command: str) -> bool:
    return re.match(r"[A-Za-z]:\\|/|\.", command) is not None


def _check_run(words: Sequence[str], first: int) -> Broken:
    """What running ``words`` does; those from ``first`` on are the list of arguments."""
    for rule in dict.fromkeys(check_command(words)):
        yield rule, "/transport/command" if rule in _OF_THE_PROGRAM else _place_of(words, first, rule)
    rest = unwrapped(words)
    if rest and program_of(rest[0]) in rules.PACKAGE_RUNNERS:
        start = len(words) - len(rest) + 1
        packages = [place for place in range(start, len(words)) if not words[place].startswith("-")]
        if packages and not _PINNED.fullmatch(words[packages[0]]):
            yield "unpinned-package", _pointer(packages[0], first)


_OF_THE_PROGRAM = frozenset({"runs-a-shell", "raises-privileges"})


def _place_of(words: Sequence[str], first: int, rule: str) -> str:
    """The argument with which the rule is first broken."""
    low, high = first, len(words)
    while low < high:
        middle = (low + high) // 2
        if rule in check_command(words[:middle]):
            high = middle
        else:
            low = middle + 1
    return _pointer(low - 1, first)


def _pointer(place: int, first: int) -> str:
    return f"/transport/args/{place - first}" if place >= first else "/transport/command"
