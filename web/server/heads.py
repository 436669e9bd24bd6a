"""Request lines and headers, as the parser gives them: refused, or made into what WSGI wants (PEP 3333).

The parser (llhttp) is strict: it takes no line that ends in a bare LF, no space before a colon, no folded line, no
repeated Content-Length, and none beside Transfer-Encoding (RFC 9112). What it lets through is refused here. A header
name with an underscore is left out: WSGI could not tell it from the one with a hyphen, which a proxy may vouch for.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from web.server.limits import HEAD_BYTES, MOST_HEADERS

if TYPE_CHECKING:
    from collections.abc import Sequence

Headers = list[tuple[bytes, bytes]]
_BASE: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
VERSIONS = frozenset({"1.0", "1.1"})
ONCE = frozenset({"HTTP_HOST", "CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"})
"""What is one thing or nothing: two readers of a request must not each take another."""
_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}
_LEFT_OUT = frozenset({b"proxy"})
"""Libraries take HTTP_PROXY from the environment for the proxy to go out by (CVE-2016-5385)."""
MOST_NAMES = 512
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://[^/?#]*")


class Names:
    """WSGI's names of headers, kept once made; None for what is left out."""

    def __init__(self) -> None:
        self._known: dict[bytes, str | None] = {}

    def __call__(self, name: bytes) -> str | None:
        """``HTTP_ACCEPT`` for ``Accept``."""
        try:
            return self._known[name]
        except KeyError:
            lower = name.lower()
            made = None if b"_" in name or lower in _LEFT_OUT else _PLAIN.get(lower)
            if made is None and b"_" not in name and lower not in _LEFT_OUT:
                made = "HTTP_" + lower.decode("latin-1").upper().replace("-", "_")
            if len(self._known) < MOST_NAMES:
                self._known[name] = made
            return made


def flaw_of(version: str, headers: Headers, size: int) -> tuple[str, int] | None:
    """The code and status with which a head is refused before it is looked at more closely."""
    if version not in VERSIONS:
        return "malformed_request", 400
    if len(headers) > MOST_HEADERS or size > HEAD_BYTES:
        return "headers_too_large", 431
    return None


def environ_of(
    names: Names, method: str, target: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]
) -> dict[str, Any]:
    """The WSGI environment, without its input, addresses and server; empty if the head is malformed."""
    path, _, query = target.partition(b"?")
    if not path.startswith(b"/") and path != b"*":
        path = _ABSOLUTE.sub(b"", path, count=1) or b"/"
    if b"#" in target or not path.startswith((b"/", b"*")):
        return {}
    environ = {
        **_BASE,
        "REQUEST_METHOD": method,
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{version}",
    }
    fits = _add(environ, names, headers) and _is_framed(environ, version)
    return environ if fits else {}


def _add(environ: dict[str, Any], names: Names, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Add the headers, those of one name as one; False if one is there twice that must not be."""
    for raw, value in headers:
        name = names(raw)
        if name is None:
            continue
        text = value.decode("latin-1")
        if name in environ:
            if name in ONCE:
                return False
            text = f"{environ[name]}{'; ' if name == 'HTTP_COOKIE' else ','}{text}"
        environ[name] = text
    return True


def _is_framed(environ: dict[str, Any], version: str) -> bool:
    """Whether there is no doubt about the host and where the body ends: RFC 9112, sections 3.2 and 6.1."""
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if version == "1.0":
        return coding is None
    return "HTTP_HOST" in environ and (coding is None or coding.lower() == "chunked")
