"""The two cookies that Pigi sets (P05, P35, P36): neither lives longer than the browser's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.accounts import csrf_token

if TYPE_CHECKING:
    from web.http.replies import Reply

SESSION = "pigi_session"
XSRF = "XSRF-TOKEN"
XSRF_HEADER = "X-XSRF-TOKEN"


def sign_in(reply: Reply, token: str, *, secure: bool) -> Reply:
    """Set both cookies. Scripts may read the second, since they must send it back in a header."""
    reply.set_cookie(SESSION, token, httponly=True, secure=secure, samesite="Lax")
    reply.set_cookie(XSRF, csrf_token(token), secure=secure, samesite="Lax")
    return reply


def sign_out(reply: Reply, *, secure: bool) -> Reply:
    """Take both cookies away."""
    reply.delete_cookie(SESSION, httponly=True, secure=secure, samesite="Lax")
    reply.delete_cookie(XSRF, secure=secure, samesite="Lax")
    return reply
