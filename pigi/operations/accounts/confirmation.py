"""Giving the password or a code once more: whoever found a browser signed in must not do what cannot be undone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import CONFIRMED_FOR
from pigi.domain.throttles import SIGN_IN
from pigi.errors import Refused
from pigi.operations import credentials
from pigi.operations.accounts.accounts import ACCOUNT
from pigi.operations.accounts.factors import use_code
from pigi.operations.accounts.sessions import SESSION
from pigi.operations.audit import record
from pigi.operations.credentials import has_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.store.sessions import ControlSession

PROOF = [{"pointer": "/password", "message": "is needed for this"}]
WRONG = [{"pointer": "/password", "message": "is not your password"}]


def confirm_session(  # noqa: PLR0913 - who, their proof, and what follows
    application: Application,
    person: Person,
    password: str | None,
    network: str,
    on_done: Callable[[ControlSession], None] | None = None,
    code: str | None = None,
) -> datetime:
    """Confirm this session, and no other of the account, for `CONFIRMED_FOR`; until when.

    The proof is the ``password``; where there is a second factor, a ``code`` of it, with the password or without:
    whoever stole the password and a cookie must not get on with these alone.

    Raises Refused: ``wrong_password``, ``second_factor_needed`` if the password is right and there is no code,
        ``wrong_code``, ``too_many_tries``, ``unavailable``; ``invalid`` without either; ``unauthenticated`` if the
        session ended, or the password was changed, while this was looked at.
    """
    if password is None and code is None:
        raise Refused("invalid", errors=PROOF)
    with application.control.read() as session:
        row = session.execute(select(ACCOUNT).where(ACCOUNT.c.id == person.account_id)).one()
    if password is not None:
        with prove(application, row, password, network):
            pass
    tried = None if code is None else credentials.acquire_code(application, row.id, code)
    moment = now()
    unchanged = select(ACCOUNT.c.id).where(ACCOUNT.c.id == row.id, ACCOUNT.c.password_hash == row.password_hash)
    confirmed = update(SESSION).where(SESSION.c.id == person.session_id, SESSION.c.account_id.in_(unchanged))
    with credentials.counting_failures(application, row.id), application.control.begin() as session:
        if code is not None:
            use_code(session, application, row, code)
        elif has_factor(session, row.id):
            raise Refused("second_factor_needed")
        result: Any = session.execute(confirmed.values(confirmed_at=moment))
        if result.rowcount != 1:
            raise Refused("unauthenticated")
        record(session, application, "session.confirmed", person.name, subject=f"session:{person.session_id}")
        if on_done is not None:
            on_done(session)
    if tried is not None:
        tried.refund()
    return moment + CONFIRMED_FOR


def ask_for_factor(person: Person) -> None:
    """Where a password in the request stands for its owner, ask for a confirmed session besides, if there is a factor.

    Raises Refused ``confirmation_required``.
    """
    if person.factor and not person.confirmed:
        raise Refused("confirmation_required")


def confirmed_until(application: Application, person: Person) -> datetime | None:
    """Until when this session counts as confirmed; None if it never was."""
    with application.control.read() as session:
        at = session.scalar(select(SESSION.c.confirmed_at).where(SESSION.c.id == person.session_id))
    return None if at is None else at + CONFIRMED_FOR


@contextmanager
def prove(application: Application, row: Any, password: str | None, network: str) -> Iterator[None]:
    """Check the password of the account ``row``; there is room to hash in the block.

    Raises Refused: ``invalid`` without one, ``wrong_password``, ``too_many_tries``, ``unavailable``.
    """
    if password is None:
        raise Refused("invalid", errors=PROOF)
    with credentials.hashing(application, SIGN_IN, network, row.email_key) as tried:
        if not credentials.is_password(password, row.password_hash):
            credentials.count_failure(application, row.id)
            raise Refused("wrong_password", errors=WRONG)
        tried.refund()
        yield
