"""The browser's session over HTTP: signing in, seeing who is signed in, signing out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from pigi.operations import sign_in as operations
from pigi.operations.accounts import read_account
from pigi.operations.organisations import organisations_of
from web import cookies
from web.bodies import read_body
from web.repeats import once_made
from web.replies import Reply, as_json, moment, reply
from web.routes import API, Answer, Kind, Route, Who
from web.schemas.accounts import Session, SessionOpened, SignInRequest

if TYPE_CHECKING:
    from pigi.operations.accounts import AccountView
    from pigi.operations.sign_in import SignedIn as Opened
    from web.call import SignedIn, Visit
    from web.repeats import OnMade

SESSION = f"{API}/session"


def open_session(visit: Visit) -> Reply:
    """Sign in. An unknown address and a wrong password are answered alike."""
    asked = read_body(SignInRequest)
    replaced = request.cookies.get(cookies.SESSION, "")
    return opened(visit, operations.sign_in(visit.application, asked.email, asked.password, visit.network, replaced))


def show_session(visit: SignedIn) -> Reply:
    """Who is signed in, and the organisations that they belong to."""
    account = read_account(visit.application, visit.account.account_id)
    mine = organisations_of(visit.application, visit.account)
    memberships = [{"organisation_id": view.id, "name": view.name, "role": view.role} for view in mine]
    return reply(as_json({"account": account_facts(account), "memberships": memberships}))


def close_session(visit: SignedIn) -> Reply:
    """Sign out: the session is over, also for whoever copied its cookie."""
    token = request.cookies.get(cookies.SESSION, "")

    def act(made: OnMade) -> Reply:
        operations.sign_out(visit.application, visit.account, token, lambda session: made(session, "", 204))
        return closed(visit)

    return once_made(visit, act)


def close_all_sessions(visit: SignedIn) -> Reply:
    """End all sessions of the account, this one among them."""

    def act(made: OnMade) -> Reply:
        operations.sign_out_everywhere(visit.application, visit.account, lambda session: made(session, "", 204))
        return closed(visit)

    return once_made(visit, act)


def opened(visit: Visit, signed_in: Opened) -> Reply:
    """201 with the account, and the new session's cookies."""
    answer = reply(as_json({"account": account_facts(signed_in.account)}), 201, Location=SESSION)
    return cookies.sign_in(answer, signed_in.token, secure=visit.application.settings.production)


def closed(visit: Visit) -> Reply:
    """204 that takes the cookies away."""
    answer = Reply(status=204, headers={"Cache-Control": "no-store"})
    return cookies.sign_out(answer, secure=visit.application.settings.production)


def account_facts(account: AccountView) -> dict[str, Any]:
    """An account as its owner is shown it."""
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "operator": account.operator,
        "created_at": moment(account.created_at),
        "password_changed_at": moment(account.password_changed_at),
        "new_email": account.new_email,
    }


ROUTES = (
    Route(
        "POST",
        SESSION,
        open_session,
        Who.ANYONE,
        Kind.OPEN,
        "Sign in",
        (Answer(201, "The account; the session is in the cookies", SessionOpened, headers=("Location", "Set-Cookie")),),
        problems=("wrong_credentials", "too_many_tries"),
        body=SignInRequest,
    ),
    Route(
        "GET",
        SESSION,
        show_session,
        Who.PERSON,
        Kind.READ,
        "Show who is signed in",
        (Answer(200, "Who is signed in", Session),),
    ),
    Route(
        "DELETE",
        SESSION,
        close_session,
        Who.PERSON,
        Kind.MAKE,
        "Sign out",
        (Answer(204, "The session is over", media_types=(), headers=("Set-Cookie",)),),
    ),
    Route(
        "DELETE",
        f"{API}/sessions",
        close_all_sessions,
        Who.PERSON,
        Kind.MAKE,
        "Sign out everywhere",
        (Answer(204, "All sessions of the account are over", media_types=(), headers=("Set-Cookie",)),),
    ),
)
