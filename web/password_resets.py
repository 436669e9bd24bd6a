"""Forgotten passwords over HTTP: asking for a link, and setting a new password with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.password_resets import ask_for_reset, reset_password
from web.bodies import read_body
from web.replies import Reply, as_json, reply
from web.routes import API, Answer, Kind, Route, Who
from web.schemas.accounts import MailAnnounced, NewPasswordRequest, ResetRequest

if TYPE_CHECKING:
    from web.call import Visit

CHECK_MAIL = "If the address belongs to an account, a mail is on its way. Its link works for an hour."


def ask_for_password_reset(visit: Visit) -> Reply:
    """Ask for a link that sets a new password. The answer is the same whether or not the address has an account."""
    asked = read_body(ResetRequest)
    ask_for_reset(visit.application, asked.email, visit.network)
    return reply(as_json({"message": CHECK_MAIL}), 202)


def set_new_password(visit: Visit, token: str) -> Reply:
    """Set a new password with a mailed link. All sessions of the account and all its other links end."""
    asked = read_body(NewPasswordRequest)
    reset_password(visit.application, token, asked.password, visit.network)
    return Reply(status=204, headers={"Cache-Control": "no-store"})


ROUTES = (
    Route(
        "POST",
        f"{API}/password-resets",
        ask_for_password_reset,
        Who.ANYONE,
        Kind.OPEN,
        "Ask for a password reset",
        (Answer(202, "Whoever has an account with the address gets a mail", MailAnnounced),),
        problems=("too_many_tries",),
        body=ResetRequest,
    ),
    Route(
        "POST",
        f"{API}/password-resets/<token>",
        set_new_password,
        Who.ANYONE,
        Kind.OPEN,
        "Reset a password",
        (Answer(204, "The password is set; sign in with it", media_types=()),),
        problems=("link_over", "password_weak"),
        body=NewPasswordRequest,
    ),
)
