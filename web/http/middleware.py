"""The outermost layer of WSGI: a request's id, the headers that every answer carries, its log line, its last net."""

from __future__ import annotations

import re
import secrets
import time
from itertools import count
from typing import TYPE_CHECKING, Any

from web.http import logs
from web.http.context import FACTS, RequestFacts
from web.http.packing import read_tags_as_one
from web.http.replies import PROBLEM_JSON, problem_text
from web.http.transport import HSTS, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pigi.settings import Settings

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")

# What browsers offer to pages (w3c.github.io/webappsec-permissions-policy and each feature's own document). Only names
# that Chromium knows: it complains of others on its console.
_OFF = (
    "accelerometer", "autoplay", "bluetooth", "browsing-topics", "camera", "clipboard-read", "display-capture",
    "encrypted-media", "fullscreen", "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "publickey-credentials-create",
    "publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "usb", "window-management",
    "xr-spatial-tracking",
)  # fmt: skip
SAFE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    # Pages have buttons that copy; nothing else of all this is used, and nobody may frame a page that asks for it.
    ("Permissions-Policy", ", ".join((*(f"{name}=()" for name in _OFF), "clipboard-write=(self)"))),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_FONTS = {
    "bunny": "style-src 'self' https://fonts.bunny.net; font-src https://fonts.bunny.net",
    "self": "style-src 'self'; font-src 'self'",
    "none": "style-src 'self'; font-src 'none'",
}
"""What PIGI_FONTS lets in: another host only where one is asked."""


def safe_headers(fonts: str) -> tuple[tuple[str, str], ...]:
    """The headers that every answer carries, for one choice of fonts."""
    policy = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        f"{_FONTS[fonts]}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return (*SAFE, ("Content-Security-Policy", policy))


class Middleware:
    """Wraps the Flask application."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], settings: Settings) -> None:
        self._inner = inner
        self._transport = Transport(settings)
        self._safe = safe_headers(settings.fonts)
        # Unique among processes by the prefix and within one by the number, at no system call a request.
        self._prefix, self._numbers = secrets.token_hex(8), count(1)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        began = time.perf_counter()
        given = environ.get("HTTP_X_REQUEST_ID", "")
        facts = environ[FACTS] = RequestFacts(
            given if _REQUEST_ID.match(given) else f"{self._prefix}-{next(self._numbers)}"
        )

        read_tags_as_one(environ)
        safe = (*self._safe, HSTS) if self._transport.is_secure(environ) else self._safe

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            facts.status = int(status[:3])
            return start_response(status, [*headers, ("X-Request-ID", facts.request_id), *safe], exc_info)

        try:
            turned = self._transport.turn_away(environ, facts.request_id)
            if turned is None:
                return self._inner(environ, start)
            start(*turned[:2])
            return [turned[2]]
        except Exception as error:  # noqa: BLE001 - the last net: a failure while answering a failure
            logs.failure(facts, error)
            start("500 Internal Server Error", [("Content-Type", PROBLEM_JSON), ("Cache-Control", "no-store")])
            return [problem_text("internal", 500, facts.request_id, {}).encode()]
        finally:
            logs.request_done(facts, environ["REQUEST_METHOD"], (time.perf_counter() - began) * 1000)
