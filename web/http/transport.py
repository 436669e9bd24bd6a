"""HTTPS only, in production (P18): what comes in the clear is sent to the https address, or refused if it acts.

An act is refused rather than redirected, since whoever sent it in the clear once would go on doing so, with a
password or a key in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from web.http.networks import is_https
from web.http.problems import MEDIA_TYPE, problem_text

if TYPE_CHECKING:
    from pigi.settings import Settings

# One year: what the preload list asks for at least. Never sent in the clear: RFC 6797, section 7.2.
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
HEALTH = frozenset({"/healthz", "/readyz"})
"""Load balancers ask for these from within, often in the clear; they tell nothing about anybody."""

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
        if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return "308 Permanent Redirect", [("Location", self._location(environ)), ("Content-Length", "0")], b""
        headers = [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store")]
        return "403 Forbidden", headers, problem_text("https_required", 403, request_id, {}).encode()

    def _location(self, environ: dict[str, Any]) -> str:
        """The same place at our own address, whatever host the request named."""
        query = environ.get("QUERY_STRING", "")
        body = f"?{query}" if query and _QUERY.fullmatch(query) else ""
        return self._address + quote(environ["PATH_INFO"], safe=_UNRESERVED, encoding="latin-1") + body
