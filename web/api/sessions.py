"""The browser's session over HTTP: signing in, seeing who is signed in, signing out."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from flask import request
from pydantic import Field

from pigi.operations import accounts
from pigi.operations.accounts import confirm_session, confirmed_until, read_account
from pigi.operations.organisations import organisations_of
from web.http.auth import SESSION as COOKIE
from web.http.auth import delete_session_cookies, renewing, set_session_cookies
from web.http.replies import API, Reply, as_json, moment, no_content, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, RequestModel, ResponseModel, RoleName
from web.http.texts import Code, Email, Password

if TYPE_CHECKING:
    from pigi.operations.accounts import AccountDeletion as Deletion
    from pigi.operations.accounts import AccountView
    from pigi.operations.accounts import SignedIn as Opened
    from web.http.context import AccountContext, RequestContext


class AccountDeletionLinks(ResponseModel):
    """The way back, and the receipt once it is final."""

    restore: str
    receipt: str


class AccountDeletion(ResponseModel):
    """Of an account that its owner deleted: until when it can be restored, and where the receipt will be."""

    requested_at: datetime
    restorable_until: datetime
    final_by: datetime
    links: AccountDeletionLinks


class Account(ResponseModel):
    """One's own account; ``new_email`` is an address that waits to be confirmed."""

    id: Id
    name: str
    email: str
    operator: bool
    created_at: datetime
    password_changed_at: datetime
    second_factor: bool = Field(description="Whether signing in takes a code besides the password.")
    new_email: str | None
    deletion: AccountDeletion | None


class SignInRequest(RequestModel):
    """Sign in."""

    email: Email
    password: Password = Field(repr=False)
    code: Code | None = Field(None, repr=False, description="Of the second factor, or a recovery code.")


class SessionOpened(ResponseModel):
    """Who is signed in now. The session is in the cookies."""

    account: Account


class ConfirmationRequest(RequestModel):
    """Confirm the session with one's password; with a second factor, with a code, and the password if one likes."""

    password: Password | None = Field(None, repr=False)
    code: Code | None = Field(None, repr=False, description="Needed where there is a second factor.")


class Confirmation(ResponseModel):
    """Until when the session counts as confirmed."""

    confirmed_until: datetime | None


class OwnMembership(ResponseModel):
    """An organisation that one belongs to, and as what."""

    organisation_id: Id
    name: str
    role: RoleName


class Session(ResponseModel):
    """Who is signed in, and where they belong."""

    account: Account
    memberships: list[OwnMembership]


class OpenSession(ResponseModel):
    """A browser that is signed in; Pigi keeps neither its address nor what device it is on."""

    id: Id
    created_at: datetime
    seen_at: datetime
    ends_at: datetime = Field(description="If it is not used again: 12 hours after its last use, or 30 days old.")
    current: bool


class FailedDay(ResponseModel):
    """How many wrong passwords and codes were given for the account on a day (UTC)."""

    day: date
    count: int


class OpenSessionList(ResponseModel):
    """One's open sessions, the one last used first."""

    sessions: list[OpenSession]
    failures: list[FailedDay] = Field(
        description="Days of the last 30 on which wrong passwords or codes were given, newest first. What is refused "
        "unseen, since too much was wrong before, is not counted."
    )


SESSION = f"{API}/session"
MINE = f"{API}/me/sessions"


def open_session(context: RequestContext) -> Reply:
    """Sign in. An unknown address and a wrong password are answered alike.

    With a second factor the answer to a right password is `second_factor_needed`: send the same with a code.
    """
    body, network = read_body(SignInRequest), context.network
    replaced = request.cookies.get(COOKIE, "")
    signed_in = accounts.sign_in(context.application, body.email, body.password, network, replaced, body.code)
    return opened(context, signed_in)


def show_session(context: AccountContext) -> Reply:
    """Who is signed in, and the organisations that they belong to."""
    account = read_account(context.application, context.account.account_id)
    mine = organisations_of(context.application, context.account)
    memberships = [{"organisation_id": view.id, "name": view.name, "role": view.role} for view in mine]
    return reply(as_json({"account": account_facts(account), "memberships": memberships}))


def close_session(context: AccountContext) -> Reply:
    """Sign out: the session is over, also for whoever copied its cookie."""
    token = request.cookies.get(COOKIE, "")
    accounts.sign_out(context.application, context.account, token, context.record_no_content)
    return closed(context)


def close_all_sessions(context: AccountContext) -> Reply:
    """End all sessions of the account, this one among them."""
    accounts.sign_out_everywhere(context.application, context.account, context.record_no_content)
    return closed(context)


def confirm_current_session(context: AccountContext) -> Reply:
    """Give the password, or a code, once more. For 10 minutes this session may then do what cannot be taken back.

    With a second factor the answer to the password alone is `second_factor_needed`: send a code with it.
    """
    body, network = read_body(ConfirmationRequest), context.network
    done = renewing(context, context.record)
    until = confirm_session(context.application, context.account, body.password, network, done, body.code)
    return reply(as_json({"confirmed_until": moment(until)}))


def show_sessions(context: AccountContext) -> Reply:
    """The browsers in which one is signed in, the one last used first, and how often a password or code was wrong."""
    found = [
        {
            "id": one.id,
            "created_at": moment(one.created_at),
            "seen_at": moment(one.seen_at),
            "ends_at": moment(one.ends_at),
            "current": one.current,
        }
        for one in accounts.list_sessions(context.application, context.account)
    ]
    failures = [
        {"day": one.day.isoformat(), "count": one.count}
        for one in accounts.list_failures(context.application, context.account)
    ]
    return reply(as_json({"sessions": found, "failures": failures}))


def end_one_session(context: AccountContext, session: str) -> Reply:
    """End one of one's sessions: that browser is signed out with its next request."""
    accounts.end_session(context.application, context.account, session, context.record_no_content)
    return no_content()


def end_other_sessions(context: AccountContext) -> Reply:
    """End all of one's sessions but this one."""
    accounts.end_other_sessions(context.application, context.account, context.record_no_content)
    return no_content()


def _confirmation(context: AccountContext, _location: str) -> Reply:
    return reply(as_json({"confirmed_until": moment(confirmed_until(context.application, context.account))}))


def opened(context: RequestContext, signed_in: Opened) -> Reply:
    """201 with the account, and the new session's cookies."""
    answer = reply(as_json({"account": account_facts(signed_in.account)}), 201, Location=SESSION)
    return set_session_cookies(answer, signed_in.token, secure=context.application.settings.production)


def closed(context: RequestContext) -> Reply:
    """204 that takes the cookies away."""
    answer = no_content()
    return delete_session_cookies(answer, secure=context.application.settings.production)


def account_facts(account: AccountView) -> dict[str, Any]:
    """An account as its owner is shown it."""
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "operator": account.operator,
        "created_at": moment(account.created_at),
        "password_changed_at": moment(account.password_changed_at),
        "second_factor": account.second_factor,
        "new_email": account.new_email,
        "deletion": _deletion_facts(account.deletion),
    }


def _deletion_facts(deletion: Deletion | None) -> dict[str, Any] | None:
    if deletion is None:
        return None
    return {
        "requested_at": moment(deletion.requested_at),
        "restorable_until": moment(deletion.restorable_until),
        "final_by": moment(deletion.final_by),
        "links": {"restore": f"{API}/me/restore", "receipt": f"{API}/receipts/{deletion.receipt_id}"},
    }


ROUTES = (
    Route(
        "POST",
        SESSION,
        open_session,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Sign in",
        (
            ResponseSpec(
                201, "The account; the session is in the cookies", SessionOpened, headers=("Location", "Set-Cookie")
            ),
        ),
        problems=("wrong_credentials", "second_factor_needed", "wrong_code", "too_many_tries"),
        body=SignInRequest,
    ),
    Route(
        "GET",
        SESSION,
        show_session,
        Who.PERSON,
        RouteKind.READ,
        "Show who is signed in",
        (ResponseSpec(200, "Who is signed in", Session),),
        for_deleted=True,
        without_factor=True,
    ),
    Route(
        "POST",
        f"{SESSION}/confirmation",
        confirm_current_session,
        Who.PERSON,
        RouteKind.WRITE,
        "Confirm the session",
        (ResponseSpec(200, "Until when it counts", Confirmation, headers=("Idempotency-Replayed",)),),
        problems=("wrong_password", "second_factor_needed", "wrong_code", "too_many_tries"),
        body=ConfirmationRequest,
        fingerprint=lambda: b"password",
        replay=_confirmation,
        notes="Asked for before deleting an organisation, making or rotating an API key, changing who is an owner, and "
        "changing one's second factor; with a second factor also before changing one's address or password and "
        "deleting one's account.",
        for_deleted=True,
        without_factor=True,
    ),
    Route(
        "DELETE",
        SESSION,
        close_session,
        Who.PERSON,
        RouteKind.WRITE,
        "Sign out",
        (ResponseSpec(204, "The session is over", media_types=(), headers=("Set-Cookie",)),),
        for_deleted=True,
        without_factor=True,
    ),
    Route(
        "DELETE",
        f"{API}/sessions",
        close_all_sessions,
        Who.PERSON,
        RouteKind.WRITE,
        "Sign out everywhere",
        (ResponseSpec(204, "All sessions of the account are over", media_types=(), headers=("Set-Cookie",)),),
        for_deleted=True,
        without_factor=True,
    ),
    Route(
        "GET",
        MINE,
        show_sessions,
        Who.PERSON,
        RouteKind.READ,
        "List one's own sessions",
        (ResponseSpec(200, "The open sessions", OpenSessionList),),
        for_deleted=True,
        without_factor=True,
    ),
    Route(
        "DELETE",
        f"{MINE}/<session>",
        end_one_session,
        Who.PERSON,
        RouteKind.WRITE,
        "End one of one's own sessions",
        (ResponseSpec(204, "The session is over", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("not_found",),
        for_deleted=True,
        without_factor=True,
    ),
    Route(
        "DELETE",
        MINE,
        end_other_sessions,
        Who.PERSON,
        RouteKind.WRITE,
        "End all one's other sessions",
        (ResponseSpec(204, "Only this session goes on", media_types=(), headers=("Idempotency-Replayed",)),),
        for_deleted=True,
        without_factor=True,
    ),
)
