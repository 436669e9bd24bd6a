"""What the server answers by itself, before any thread is asked: problem documents (RFC 9457)."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from web.http.middleware import SAFE
from web.http.replies import PROBLEM_JSON, problem_text

RETRY_SECONDS = 5
"""When to come back where coming back helps."""
_LATER = frozenset({429, 503})


def refusal(code: str, status: int) -> bytes:
    """A whole answer, after which the connection ends."""
    request_id = secrets.token_hex(8)
    body = problem_text(code, status, request_id, {}).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        f"content-type: {PROBLEM_JSON}",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "connection: close",
        f"x-request-id: {request_id}",
        "content-security-policy: default-src 'none'; frame-ancestors 'none'",
        *(f"{name}: {value}" for name, value in SAFE),
        *([f"retry-after: {RETRY_SECONDS}"] if status in _LATER else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
