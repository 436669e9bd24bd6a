"""Compression (RFC 9110, sections 8.4 and 12.5.3): gzip for text that is whole, on its way to whoever takes it.

What leaks through lengths (BREACH, CVE-2013-3587) takes a secret and an attacker's words in one compressed answer, and
requests that the attacker makes the victim's browser send. So answers to such requests are never compressed: browsers
mark them (Sec-Fetch-Site), and cannot be made not to. Besides, secrets are told in answers to unsafe methods alone,
which are left as they are, and no page holds the CSRF token: it is in its cookie.

A strong entity tag names bytes, so the packed form has a tag of its own, told from the other by `MARK`; what a client
sends back, as to guard a write, is read as the one tag that both stand for. Streams and parts of files are untouched.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

if TYPE_CHECKING:
    from flask import Response

PACKED = frozenset(
    {
        "text/html",
        "text/css",
        "text/javascript",
        "image/svg+xml",
        "application/json",
        "application/problem+json",
        "application/schema+json",
    }
)
"""What is packed: fonts and archives are already."""
LEAST_BYTES = 1024
"""Less fits a packet or two in any case."""
LEVEL = 5
"""Of zlib: above it an answer costs twice for a hundredth of its length."""
MARK = "-gzip"
_TAGS = ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH")
_MARKED = re.compile(rf'{MARK}(?=")')
_KNOWN = "pigi.packed"
OTHER_SITES = frozenset({"cross-site", "same-site"})


def read_tags_as_one(environ: dict[str, Any]) -> None:
    """Take the mark from the entity tags that a client sends."""
    for name in _TAGS:
        if MARK in environ.get(name, ""):
            environ[name], environ[_KNOWN] = _MARKED.sub("", environ[name]), True


def pack(data: bytes, level: int = LEVEL) -> bytes:
    """``data`` in gzip's form (RFC 1952), the same for the same."""
    return zlib.compress(data, level, zlib.MAX_WBITS | 16)


def pack_reply(reply: Response, environ: dict[str, Any], packed: bytes | None = None) -> None:
    """Pack the reply, whose body is whole, if it is text, worth it, safe and wanted; ``packed`` is it, if known."""
    if reply.status_code == 304:  # noqa: PLR2004 - Not Modified: it names the form that the client has
        if _KNOWN in environ:
            _mark(reply)
        return
    if reply.mimetype not in PACKED or environ["REQUEST_METHOD"] != "GET":
        return
    reply.headers.add("Vary", "Accept-Encoding")
    data = reply.get_data()
    if len(data) < LEAST_BYTES or not _is_wanted(environ) or "Content-Encoding" in reply.headers:
        return
    reply.set_data(packed or pack(data))
    reply.headers["Content-Encoding"] = "gzip"
    _mark(reply)


def _is_wanted(environ: dict[str, Any]) -> bool:
    if environ.get("HTTP_SEC_FETCH_SITE") in OTHER_SITES:
        return False
    accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
    return "gzip" in accepted and parse_accept_header(accepted, Accept).quality("gzip") > 0


def _mark(reply: Response) -> None:
    tag = reply.headers.get("ETag", "")
    if tag.endswith('"') and not tag.startswith("W/"):
        reply.headers["ETag"] = f'{tag[:-1]}{MARK}"'
