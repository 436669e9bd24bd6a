"""How a request reached us, as far as our proxies can tell: from which network, and whether over HTTPS.

In production only HTTPS is answered (P18): a page that is asked for in the clear is sent to the https address. What
acts, or asks the API, is refused, since whoever sent it in the clear once would go on doing so unnoticed, with a
password or a key in it (ASVS 5.0, 4.1.2). The network serves
throttling alone: it is hashed there, and neither stored nor logged.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from web.http.replies import PROBLEM_JSON, problem_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pigi.settings import Settings

UNKNOWN = "unknown"
_BRACKETED = re.compile(r"\[([^\]]*)\](?::[0-9]*)?")
# What one customer of a provider usually has at least: RFC 6177.
IPV6_PREFIX = 64


def network_of(environ: Mapping[str, Any], proxies: int) -> str:
    """The client's IPv4 address, or its IPv6 network of 64 bits.

    ``proxies`` is how many of our own stand in front: each adds the address it was called from to the end of
    X-Forwarded-For, so only that many entries, from the right, can be believed.
    """
    address = environ.get("REMOTE_ADDR", "")
    if proxies:
        forwarded = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        address = forwarded[-proxies] if len(forwarded) >= proxies else address
    return _network(address)


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(_bare(address))
    except ValueError:
        return UNKNOWN
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
    return str(found)


def _bare(address: str) -> str:
    """Without the port that some proxies add, the brackets that IPv6 then needs, and its zone."""
    if match := _BRACKETED.fullmatch(address):
        address = match[1]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    return address.partition("%")[0]


def is_https(environ: Mapping[str, Any], proxies: int) -> bool:
    """Whether the client's own connection is encrypted, as far as we or our proxies can tell.

    Some proxies add to X-Forwarded-Proto and some write it anew, so there may be fewer entries than proxies. Whoever
    forges one only fools themselves.
    """
    if proxies:
        forwarded = [part.strip() for part in environ.get("HTTP_X_FORWARDED_PROTO", "").split(",") if part.strip()]
        return bool(forwarded) and forwarded[-min(proxies, len(forwarded))].lower() == "https"
    return bool(environ.get("wsgi.url_scheme") == "https")


# One year: what the preload list asks for at least. Never sent in the clear: RFC 6797, section 7.2.
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
HEALTH = frozenset({"/healthz", "/readyz"})
"""Load balancers ask for these from within, often in the clear; they tell nothing about anybody."""

PROGRAMS = "/api/"
"""Where programs ask, with keys; a browser's pages, which do too, are on HTTPS already."""

_QUERY = re.compile(r"[!-~]*")
_UNRESERVED = "/:@!$&'()*+,;=~"

Turned = tuple[str, list[tuple[str, str]], bytes]
"""A status line, headers and a body."""


class Transport:
    """The rule, for one installation. In development nothing is asked, since a browser there has no certificate."""

    def __init__(self, settings: Settings) -> None:
        self._production, self._proxies = settings.production, settings.proxies
        self._address = settings.public_url.rstrip("/")

    def is_secure(self, environ: dict[str, Any]) -> bool:
        """Whether this request may be told to insist on HTTPS from now on."""
        return self._production and is_https(environ, self._proxies)

    def turn_away(self, environ: dict[str, Any], request_id: str) -> Turned | None:
        """What a request in the clear is answered; None for one that may pass."""
        if not self._production or is_https(environ, self._proxies) or environ["PATH_INFO"] in HEALTH:
            return None
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"} and not environ["PATH_INFO"].startswith(PROGRAMS):
            return "308 Permanent Redirect", [("Location", self._location(environ)), ("Content-Length", "0")], b""
        headers = [("Content-Type", PROBLEM_JSON), ("Cache-Control", "no-store")]
        return "403 Forbidden", headers, problem_text("https_required", 403, request_id, {}).encode()

    def _location(self, environ: dict[str, Any]) -> str:
        """The same place at our own address, whatever host the request named."""
        query = environ.get("QUERY_STRING", "")
        body = f"?{query}" if query and _QUERY.fullmatch(query) else ""
        return self._address + quote(environ["PATH_INFO"], safe=_UNRESERVED, encoding="latin-1") + body
