"""The canary's accounts and organisations, made when a probe first needs them: as anybody's, but nobody's.

Nobody can sign in to them: no password has their hash. Only a probe opens sessions, for as long as it looks.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from pigi.clock import now
from pigi.domain.access import AccountState, Caller, Role
from pigi.domain.canary import KIND, address_of
from pigi.ids import new_id
from pigi.operations.accounts import ACCOUNT, open_session
from pigi.operations.configuration import create_project, create_resource, list_projects
from pigi.operations.credentials import hashing_slot, new_hash
from pigi.store.control import Organisation
from pigi.store.people import Account, Membership, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application

HOME, STRANGER = "home", "stranger"
NO_PASSWORD = "!"  # noqa: S105 - what no password hashes to
NAME = "Canary"
DOCUMENT = {"title": "Canary", "body": "Written by Pigi, to see that what is written stays where it belongs."}
SESSION: Any = Session.__table__


@dataclass(frozen=True)
class Canary:
    """An account of Pigi's own, and the organisation that it alone owns."""

    account_id: str
    organisation_id: str
    address: str

    @property
    def caller(self) -> Caller:
        """The account, acting."""
        return Caller(self.organisation_id, Role.OWNER, self.account_id, confirmed=True)


def resident(application: Application, token: str = HOME) -> Canary:
    """The canary that stays, or the `STRANGER`, with something in its database; made if it is not there."""
    canary = _find(application, address_of(token)) or settle(application, token)
    furnish(application, canary)
    return canary


def settle(application: Application, token: str) -> Canary:
    """Make a canary. Without a line in the audit log: nobody did it to anybody."""
    canary, moment = Canary(new_id(), new_id(), address_of(token)), now()
    revision = application.tenants.provision(canary.organisation_id)
    try:
        with application.control.begin() as session:
            session.add(_account(canary, moment))
            session.add(
                Organisation(
                    id=canary.organisation_id, name=NAME, schema_revision=revision, created_at=moment, canary=True
                )
            )
            application.tenants.create_key(session, canary.organisation_id)
            session.flush()
            owns = {"organisation_id": canary.organisation_id, "account_id": canary.account_id}
            session.add(Membership(**owns, role=Role.OWNER, joined_at=moment))
    except IntegrityError:
        # Another probe was first.
        application.tenants.drop(canary.organisation_id)
        found = _find(application, canary.address)
        if found is None:
            raise
        return found
    return canary


def furnish(application: Application, canary: Canary) -> None:
    """Give it a project with a document, unless it has one."""
    if list_projects(application, canary.caller, limit=1):
        return
    project = create_project(application, canary.caller, NAME)
    create_resource(application, canary.caller, project.id, "document", DOCUMENT)


def _account(canary: Canary, moment: Any) -> Account:
    return Account(
        id=canary.account_id,
        kind=KIND,
        name=NAME,
        email=canary.address,
        email_key=canary.address,
        password_hash=NO_PASSWORD,
        state=AccountState.ACTIVE,
        created_at=moment,
        password_changed_at=moment,
    )


def find_stray(application: Application) -> Canary | None:
    """A canary that was made to be deleted by a probe that died before it was."""
    stay = [address_of(token) for token in (HOME, STRANGER)]
    return _first(application, Account.email_key.not_in(stay), Account.state == AccountState.ACTIVE)


def _find(application: Application, address: str) -> Canary | None:
    return _first(application, Account.email_key == address)


def _first(application: Application, *where: Any) -> Canary | None:
    query = (
        select(Account.id, Account.email_key, Membership.organisation_id)
        .join(Membership, Membership.account_id == Account.id)
        .where(Account.kind == KIND, *where)
    )
    with application.control.autocommit() as connection:
        row = connection.execute(query).first()
    return None if row is None else Canary(row.id, row.organisation_id, row.email_key)


@contextmanager
def signed_in(application: Application, canary: Canary) -> Iterator[str]:
    """The secret of a session's cookie, for the block."""
    with application.control.begin() as session:
        session_id, token = open_session(session, canary.account_id)
    try:
        yield token
    finally:
        with application.control.autocommit() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.id == session_id))


class DisturbedError(Exception):
    """Another run of the same probe changed the canary meanwhile: what was seen says nothing."""


@contextmanager
def with_password(application: Application, canary: Canary) -> Iterator[str]:
    """A password for the block, which nobody but who asks can know; after it there is none again.

    Raises DisturbedError if another run of the probe gave the canary another meanwhile, as when somebody runs the
    controls by hand.
    """
    password = secrets.token_urlsafe(32)
    with hashing_slot():
        hashed = new_hash(password, NAME, canary.address)
    own = ACCOUNT.c.id == canary.account_id
    with application.control.autocommit() as connection:
        connection.execute(update(ACCOUNT).where(own).values(password_hash=hashed))
    still = False
    try:
        yield password
    finally:
        with application.control.autocommit() as connection:
            this = update(ACCOUNT).where(own, ACCOUNT.c.password_hash == hashed)
            still = connection.execute(this.values(password_hash=NO_PASSWORD)).rowcount == 1
    if not still:
        raise DisturbedError
