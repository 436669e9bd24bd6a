"""Accounts over HTTP: registering, and confirming it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.operations.registrations import confirm_registration, register
from web import cookies
from web.bodies import read_body
from web.replies import as_json, reply
from web.routes import API, Answer, Kind, Route, Who
from web.schemas.accounts import MailAnnounced, PasswordRequest, RegistrationRequest, SessionOpened
from web.session import opened

if TYPE_CHECKING:
    from web.call import Visit
    from web.replies import Reply

CHECK_MAIL = "A mail is on its way to this address. Its link works for 24 hours and asks for the password."


def register_account(visit: Visit) -> Reply:
    """Ask for an account. The answer is the same whether or not the address has one; the mail is not."""
    asked = read_body(RegistrationRequest)
    register(visit.application, asked.name, asked.email, asked.password, visit.network)
    return reply(as_json({"message": CHECK_MAIL}), 202)


def confirm_account(visit: Visit, token: str) -> Reply:
    """Make the account with the mailed link and the password, and sign in. Reading the link's page uses nothing up."""
    asked = read_body(PasswordRequest)
    replaced = request.cookies.get(cookies.SESSION, "")
    return opened(visit, confirm_registration(visit.application, token, asked.password, visit.network, replaced))


ROUTES = (
    Route(
        "POST",
        f"{API}/accounts",
        register_account,
        Who.ANYONE,
        Kind.OPEN,
        "Register",
        (Answer(202, "Whoever has the address gets a mail", MailAnnounced),),
        problems=("password_weak", "too_many_tries"),
        body=RegistrationRequest,
    ),
    Route(
        "POST",
        f"{API}/registrations/<token>",
        confirm_account,
        Who.ANYONE,
        Kind.OPEN,
        "Confirm a registration",
        (Answer(201, "The account; the session is in the cookies", SessionOpened, headers=("Location", "Set-Cookie")),),
        problems=("link_over", "wrong_credentials", "too_many_tries"),
        body=PasswordRequest,
    ),
)
