"""Signing in and out. A wrong password and an unknown address are refused alike, and as slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.domain.access import Person
from pigi.domain.addresses import email_key
from pigi.domain.throttles import SIGN_IN
from pigi.errors import Refused
from pigi.operations import passwords
from pigi.operations.accounts import ACCOUNT, AccountView, find_account
from pigi.operations.audit import record
from pigi.operations.sessions import OPERATOR, close_session, close_sessions, open_session
from pigi.operations.throttling import take

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]


@dataclass(frozen=True, repr=False)
class SignedIn:
    """Who is signed in now, and the secret for the session's cookie."""

    account: AccountView
    token: str


def sign_in(application: Application, email: str, password: str, network: str, replaced: str = "") -> SignedIn:
    """Open a session for whoever knows the password.

    The session is always a new one, so nobody can have planted it. ``replaced`` is the cookie that the browser
    had; its session ends.

    Raises Refused: ``wrong_credentials``, ``too_many_tries``, ``unavailable``.
    """
    key = email_key(email)
    with passwords.place():
        tried = take(application, SIGN_IN, network, key)
        row = _find(application, key)
        kept = row.password_hash if row else None
        if not passwords.is_password(password, kept) or row is None:
            raise Refused("wrong_credentials")
        renewed = passwords.renewed(password, row.password_hash)
        with application.control.begin() as session:
            # It holds off a change of the password until the session can be seen, and so ended, by it.
            still: Any = session.execute(
                update(ACCOUNT)
                .where(ACCOUNT.c.id == row.id, ACCOUNT.c.password_hash == kept, ACCOUNT.c.state == "active")
                .values(password_hash=renewed)
            )
            if still.rowcount != 1:
                raise Refused("wrong_credentials")
            token = start_session(session, application, row.id, replaced, operator=row.kind == OPERATOR)
            account = find_account(session, row.id)
        tried.give_back()
    return SignedIn(account, token)


def start_session(
    session: ControlSession, application: Application, account_id: str, replaced: str, *, operator: bool = False
) -> str:
    """A session in place of the one that the browser had; the secret for its cookie."""
    close_session(session, replaced)
    session_id, token = open_session(session, account_id)
    who = Person(account_id, session_id, operator).name
    record(session, application, "session.signed_in", who, subject=f"session:{session_id}")
    return token


def sign_out(application: Application, person: Person, token: str, on_done: OnDone | None = None) -> None:
    """End the session of this cookie."""
    with application.control.begin() as session:
        close_session(session, token)
        record(session, application, "session.signed_out", person.name, subject=f"session:{person.session_id}")
        if on_done is not None:
            on_done(session)


def sign_out_everywhere(application: Application, person: Person, on_done: OnDone | None = None) -> None:
    """End all of a person's sessions."""
    with application.control.begin() as session:
        count = close_sessions(session, person.account_id)
        record(session, application, "session.signed_out_everywhere", person.name, subject=person.name, count=count)
        if on_done is not None:
            on_done(session)


def _find(application: Application, key: str) -> Any:
    query = select(ACCOUNT.c.id, ACCOUNT.c.kind, ACCOUNT.c.password_hash)
    with application.control.quick() as connection:
        return connection.execute(query.where(ACCOUNT.c.email_key == key, ACCOUNT.c.state == "active")).first()
