"""What registering, resetting and changing leave behind: the links that will be mailed, and the rows."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from sqlalchemy import event, func, select

from pigi.domain.addresses import email_key
from pigi.operations.accounts.changes import USES
from pigi.operations.credentials import NEW_ADDRESS, NEW_PASSWORD, WELCOME, passwords
from pigi.operations.mail.ledger import address_hash
from pigi.store.base import ControlBase
from pigi.store.ledgers import AuditContent, AuditEntry, Mail
from pigi.store.people import Account, AccountToken, Registration, Session
from tests.support.people import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pytest

    from pigi.application import Application


def welcome_tokens(application: Application, email: str) -> list[str]:
    """The tokens of an address's registrations, the oldest first, as their mails would carry them."""
    query = select(Registration.id).where(Registration.email_key == email_key(email)).order_by(Registration.id)
    with application.control.read() as session:
        return [application.keyring.token(WELCOME, row_id) for row_id in session.scalars(query)]


def link_tokens(application: Application, purpose: str, email: str) -> list[str]:
    """The tokens of the links to an address, the oldest first: `NEW_PASSWORD` or `NEW_ADDRESS`."""
    where = (AccountToken.purpose == purpose, AccountToken.email_key == email_key(email))
    with application.control.read() as session:
        found = session.scalars(select(AccountToken.id).where(*where).order_by(AccountToken.id))
        return [application.keyring.token(USES[purpose], row_id) for row_id in found]


def reset_tokens(application: Application, email: str) -> list[str]:
    """The tokens of an address's links for a new password."""
    return link_tokens(application, NEW_PASSWORD, email)


def address_tokens(application: Application, email: str) -> list[str]:
    """The tokens of the links that confirm an address."""
    return link_tokens(application, NEW_ADDRESS, email)


def mails_to(application: Application, email: str) -> list[str]:
    """The templates of the mails that are queued to an address, in order."""
    with application.control.read() as session:
        own = Mail.address_hash == address_hash(application, email_key(email))
        return list(session.scalars(select(Mail.template).where(own).order_by(Mail.id)))


def acts(application: Application) -> list[tuple[str, str, str | None]]:
    """The audit chain: kind, actor and subject of each entry, in order."""
    query = select(AuditEntry.kind, AuditContent.actor, AuditContent.subject).join(
        AuditContent, AuditContent.seq == AuditEntry.seq
    )
    with application.control.read() as session:
        return [(row.kind, row.actor, row.subject) for row in session.execute(query.order_by(AuditEntry.seq))]


def session_count(application: Application, account_id: str) -> int:
    """How many browsers are signed in to an account."""
    with application.control.read() as session:
        query = select(func.count()).select_from(Session).where(Session.account_id == account_id)
        return int(session.scalar(query) or 0)


def the_account(application: Application, email: str) -> Any:
    """The row of an address's account, or None."""
    with application.control.read() as session:
        return session.scalar(select(Account).where(Account.email_key == email_key(email)))


def everything(application: Application) -> dict[str, str]:
    """All that the control database holds, as text, by column."""
    found = {}
    with application.control.read() as session:
        for table in ControlBase.metadata.sorted_tables:
            rows = session.execute(select(table)).all()
            for column in table.columns:
                found[f"{table.name}.{column.name}"] = "\n".join(str(row._mapping[column]) for row in rows)
    return found


@contextmanager
def statements(application: Application) -> Iterator[list[str]]:
    """The SQL that is run during the block, without its values."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        found.append(statement)

    event.listen(application.control.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(application.control.engine, "before_cursor_execute", note)


class Clock:
    """The time as throttles see it; moves when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, start: datetime) -> None:
        self._now = start
        monkeypatch.setattr("pigi.operations.credentials.throttling.now", lambda: self._now)

    @property
    def timestamp(self) -> float:
        """Seconds since 1970."""
        return self._now.timestamp()

    def move(self, **step: float) -> None:
        """Let some time pass."""
        self._now += timedelta(**step)


def make_passwords_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 at its cheapest, for tests that hash often and are not about what it costs."""
    monkeypatch.setattr(passwords, "PARAMETERS", CHEAPEST)
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(CHEAPEST))


@cache
def cheap_hash(password: str = PASSWORD) -> str:
    """A password's hash, at the least cost."""
    return PasswordHasher.from_parameters(CHEAPEST).hash(password)
