"""Accounts: making one, and what its owner sees of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from pigi.clock import now
from pigi.domain.access import OPERATOR, AccountState, Person
from pigi.domain.addresses import email_key
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.audit import record
from pigi.operations.credentials import NEW_ADDRESS, has_factor
from pigi.store.deletions import Deletion
from pigi.store.people import Account, AccountToken, Registration

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

ACCOUNT: Any = Account.__table__
REGISTRATIONS: Any = Registration.__table__
PERSON = "person"


@dataclass(frozen=True, repr=False)
class AccountView:
    """An account as its owner sees it. ``new_email`` waits to be confirmed, ``deletion`` to be undone."""

    id: str
    name: str
    email: str
    operator: bool
    created_at: datetime
    password_changed_at: datetime
    second_factor: bool
    new_email: str | None = None
    deletion: AccountDeletion | None = None


@dataclass(frozen=True)
class AccountDeletion:
    """The deletion of an account while it can be undone."""

    receipt_id: str
    requested_at: datetime
    restorable_until: datetime
    final_by: datetime


def add_account(  # noqa: PLR0913 - a row's columns
    session: ControlSession,
    application: Application,
    name: str,
    email: str,
    password_hash: str,
    *,
    operator: bool = False,
    registration_id: str | None = None,
) -> str:
    """Make an account for an address that was shown to be its owner's; its id. All registrations of it are over.

    Raises Refused ``link_over`` if the address has an account, or if the registration that this confirms is over:
        the transaction can then only roll back.
    """
    account_id, key, moment = new_id(), email_key(email), now()
    row = {
        "id": account_id,
        "kind": OPERATOR if operator else PERSON,
        "name": name,
        "email": email,
        "email_key": key,
        "password_hash": password_hash,
        "state": AccountState.ACTIVE,
        "created_at": moment,
        "password_changed_at": moment,
    }
    try:
        session.execute(insert(ACCOUNT).values(row))
    except IntegrityError:
        raise Refused("link_over") from None
    # The account first, then its registrations: two that are confirmed at once must not wait for each other.
    over = delete(REGISTRATIONS).where(REGISTRATIONS.c.email_key == key).returning(REGISTRATIONS.c.id)
    if registration_id not in {None, *session.scalars(over)}:
        raise Refused("link_over")
    who = Person(account_id, "", operator=operator).name
    record(session, application, "account.registered", who, subject=who)
    return account_id


def find_person_by_email(application: Application, email: str) -> Person:
    """The person with an address, as the command line names them; raises Refused ``not_found``."""
    own = (ACCOUNT.c.email_key == email_key(email), ACCOUNT.c.kind == PERSON, ACCOUNT.c.state == AccountState.ACTIVE)
    with application.control.read() as session:
        account_id = session.scalar(select(ACCOUNT.c.id).where(*own))
    if account_id is None:
        raise Refused("not_found")
    return Person(account_id, "")


def read_account(application: Application, account_id: str) -> AccountView:
    """Somebody's own account; raises Refused ``not_found``."""
    with application.control.read() as session:
        return find_account(session, account_id)


def find_account(session: ControlSession, account_id: str) -> AccountView:
    """An account as this session sees it; raises Refused ``not_found``."""
    row = session.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id)).first()
    if row is None:
        raise Refused("not_found")
    waiting = session.scalar(
        select(AccountToken.email)
        .where(
            AccountToken.account_id == account_id,
            AccountToken.purpose == NEW_ADDRESS,
            AccountToken.expires_at > now(),
        )
        .order_by(AccountToken.id.desc())
        .limit(1)
    )
    deletion = _deletion_of(session, account_id) if row.state == AccountState.DELETING else None
    factor = has_factor(session, account_id)
    made, changed, operator = row.created_at, row.password_changed_at, row.kind == OPERATOR
    return AccountView(row.id, row.name, row.email, operator, made, changed, factor, waiting, deletion)


def _deletion_of(session: ControlSession, account_id: str) -> AccountDeletion | None:
    columns = (Deletion.receipt_id, Deletion.requested_at, Deletion.restorable_until, Deletion.final_by)
    row = session.execute(select(*columns).where(Deletion.subject_id == account_id)).first()
    return None if row is None else AccountDeletion(*row)
