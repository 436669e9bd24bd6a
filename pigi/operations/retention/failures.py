"""Counts of wrong passwords and codes once their day is over: an entry in the audit log of each account's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from pigi.domain.access import OPERATOR, SIGNS_IN, Person
from pigi.domain.canary import KIND as CANARY
from pigi.operations.audit import record
from pigi.store.engines import is_one_of, row_place
from pigi.store.ledgers import FailedSignIn
from pigi.store.people import Account

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.operations.retention.sweeps import Sweep

FAILED: Any = FailedSignIn.__table__
ACCOUNT: Any = Account.__table__
BATCH = 200
"""Counts a transaction: its entries are written while nobody else can write to the audit log."""


def enter_failures(application: Application, sweep: Sweep, moment: datetime) -> int:
    """Remove a batch of counts that are due, each with an entry if it is of an account that is in use; how many went.

    Of an address that nobody has nothing stays. Nor does anything of an account that is on its way out, whose entries
    may have been erased already, nor of the canary, as of its sign-ins.
    """
    due = sweep.due(moment)
    with application.control.begin() as session:
        connection = session.connection()
        chosen = select(row_place(connection)).select_from(FAILED).where(*due).limit(BATCH)
        chosen = chosen.with_for_update(skip_locked=True)
        removed = delete(FAILED).where(is_one_of(connection, chosen), *due)
        rows = connection.execute(
            removed.returning(FAILED.c.subject, FAILED.c.day, FAILED.c.count.label("wrong"))
        ).all()
        # Shared with sign-ins, and kept from a deletion that would seal the account before the entry is there to erase.
        wanted = ACCOUNT.c.id.in_({row.subject for row in rows}) & ACCOUNT.c.state.in_(SIGNS_IN)
        known = select(ACCOUNT.c.id, ACCOUNT.c.kind).where(wanted, ACCOUNT.c.kind != CANARY).order_by(ACCOUNT.c.id)
        kinds = {row.id: row.kind for row in connection.execute(known.with_for_update(read=True))}
        for row in sorted(rows, key=lambda row: (row.day, row.subject)):
            if row.subject in kinds:
                who = Person(row.subject, "", operator=kinds[row.subject] == OPERATOR).name
                day = row.day.isoformat()
                record(session, application, "session.failed", "pigi", subject=who, count=row.wrong, day=day)
    return len(rows)
