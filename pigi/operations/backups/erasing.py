"""What was deleted after a backup was made, or was going to be, must not come back with it (P26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.domain.access import AccountState, OrganisationState
from pigi.domain.deletions import DeletionScope
from pigi.operations.access import ORGANISATION
from pigi.operations.deletion import ACCOUNT_PLAN, ORGANISATION_PLAN, call_off, deletion_of, erase_again, open_deletion
from pigi.store.erasures import OpenDeletions, digest
from pigi.store.people import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from sqlalchemy import Connection
    from sqlalchemy.sql.dml import Update

    from pigi.application import Application

ACCOUNT: Any = Account.__table__
PLANS = {DeletionScope.ORGANISATION: ORGANISATION_PLAN, DeletionScope.ACCOUNT: ACCOUNT_PLAN}
OUTSIDE = frozenset({"authorship", "requests"})
"""Steps that remove a person's name from organisations' databases and from jobs, which a backup brings back."""
TABLES: dict[DeletionScope, Any] = {DeletionScope.ORGANISATION: ORGANISATION, DeletionScope.ACCOUNT: ACCOUNT}


def erase_all_again(application: Application, scope: DeletionScope, erased: AbstractSet[str]) -> int:
    """Erase whatever of this scope is in the erasure log; returns how many."""
    table = TABLES[scope]
    with application.control.autocommit() as connection:
        ids: Iterable[str] = connection.execute(select(table.c.id)).scalars()
        found = [one for one in ids if digest(scope, one) in erased]
    for one in found:
        erase_again(application, PLANS[scope], one, OUTSIDE)
    return len(found)


def follow_requests(application: Application, noted: OpenDeletions) -> None:
    """Let go on what was requested to be deleted after the backup was made, as of the moment of the request.

    What was undone after that is active again. What was requested after ``noted`` was noted, and before the backup,
    stays as it is. The hourly sweep does the rest.
    """
    with application.control.transaction() as connection:
        _follow_organisations(connection, noted)
        _follow_accounts(connection, noted)


def _follow_organisations(connection: Connection, noted: OpenDeletions) -> None:
    columns = select(ORGANISATION.c.id, ORGANISATION.c.state, ORGANISATION.c.deletion_at)
    rows: Sequence[Any] = connection.execute(columns).all()
    for one, state, deletion_at in rows:
        requested_at = noted.requested.get(digest(DeletionScope.ORGANISATION, one))
        if state == OrganisationState.ACTIVE and requested_at is not None:
            connection.execute(_moved(one, OrganisationState.DELETING, requested_at))
        elif state == OrganisationState.DELETING and requested_at is None and deletion_at < noted.at:
            connection.execute(_moved(one, OrganisationState.ACTIVE, None))
            call_off(connection, DeletionScope.ORGANISATION, one)


def _follow_accounts(connection: Connection, noted: OpenDeletions) -> None:
    rows: Sequence[Any] = connection.execute(select(ACCOUNT.c.id, ACCOUNT.c.state)).all()
    steps = [step.name for step in ACCOUNT_PLAN.steps]
    for one, state in rows:
        this = update(ACCOUNT).where(ACCOUNT.c.id == one)
        requested_at = noted.requested.get(digest(DeletionScope.ACCOUNT, one))
        begun = deletion_of(connection, DeletionScope.ACCOUNT, one) if state == AccountState.DELETING else None
        if state == AccountState.ACTIVE and requested_at is not None:
            connection.execute(this.values({ACCOUNT.c.state: AccountState.DELETING.value}))
            open_deletion(connection, DeletionScope.ACCOUNT, one, "pigi", steps, requested_at=requested_at)
        elif begun is not None and requested_at is None and begun.requested_at < noted.at:
            connection.execute(this.values({ACCOUNT.c.state: AccountState.ACTIVE.value}))
            call_off(connection, DeletionScope.ACCOUNT, one)


def _moved(organisation_id: str, state: OrganisationState, deletion_at: datetime | None) -> Update:
    this = ORGANISATION.c.id == organisation_id
    return update(ORGANISATION).where(this).values(state=state.value, deletion_at=deletion_at)
