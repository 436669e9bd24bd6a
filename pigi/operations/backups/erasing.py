"""Erasing again: what was deleted after a backup was made must not come back with it (P26)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from pigi.domain.privacy import Erasure
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import ORGANISATION
from pigi.operations.audit import CONTENT, erase_content
from pigi.store.deletions import Deletion
from pigi.store.erasures import digest
from pigi.store.people import Account
from pigi.store.schema import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from pigi.application import Application

ACCOUNT: Any = Account.__table__
DELETION: Any = Deletion.__table__
SCOPES: dict[str, Any] = {"organisation": ORGANISATION, "account": ACCOUNT}
"""What is entered in the erasure log, and the table that has its identifiers."""


def erase_all_again(application: Application, erased: AbstractSet[str]) -> list[tuple[str, str]]:
    """Erase whatever of this control database is in the erasure log; returns scope and id of each."""
    found = []
    with application.control.autocommit() as connection:
        for scope, table in SCOPES.items():
            ids: Iterable[str] = connection.execute(select(table.c.id)).scalars()
            found += [(scope, identifier) for identifier in ids if digest(scope, identifier) in erased]
    for scope, identifier in found:
        erase_again(application, scope, identifier)
    return found


def erase_again(application: Application, scope: str, identifier: str) -> None:
    """Erase an organisation or account that was deleted after the backup was made: its rows, at once or not at all.

    There is nothing else of it here: its database is not made, its files are in no backup, and what it had at Stripe
    was settled when it was deleted. What the law keeps, the log of billing, stays.
    """
    with application.control.begin() as session:
        connection = session.connection()
        for table in reversed(CONTROL.sorted_tables):
            column = table.c.get(f"{scope}_id")
            if column is not None and table is not CONTENT and column.info["facts"].erasure is not Erasure.KEPT:
                connection.execute(delete(table).where(column == identifier))
        connection.execute(delete(JOB).where(JOB.c.organisation_id.is_(None), JOB.c.subject_id == identifier))
        connection.execute(delete(DELETION).where(DELETION.c.subject_id == identifier))
        erase_content(session, application, **{f"{scope}_id": identifier})
        connection.execute(delete(SCOPES[scope]).where(SCOPES[scope].c.id == identifier))
