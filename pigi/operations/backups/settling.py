"""What must be so in a restored control database before anything serves with it.

What had begun when the backup was made may have been done since: mails sent, drafts generated, money moved. So no job
of it goes on, nobody is signed in, and no repeated request gets the answer of a first one that the copies of the
organisations' databases may not know. What Stripe knows is asked anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update

from pigi.clock import now
from pigi.jobs.execution.claims import end_all
from pigi.jobs.kinds import RECONCILE_BILLING
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import ORGANISATION
from pigi.operations.audit import CLI, record
from pigi.store.control import IdempotencyKey
from pigi.store.exports import Export
from pigi.store.people import Session

if TYPE_CHECKING:
    from pigi.application import Application

EXPORT: Any = Export.__table__
FORGOTTEN: tuple[Any, ...] = (Session.__table__, IdempotencyKey.__table__)
"""Tables that are emptied: what they say holds no longer."""


def settle(application: Application, kind: str, backup_id: str, erased: int) -> int:
    """Fence what was under way, and record the restore in the audit chain; returns how many jobs it ended."""
    with application.control.begin() as session:
        connection = session.connection()
        ended = end_all(connection, "restored")
        connection.execute(update(ORGANISATION).values(epoch=ORGANISATION.c.epoch + 1))
        for table in FORGOTTEN:
            connection.execute(delete(table))
        # Their files are in no backup; the sweep of expired ones removes what is left.
        connection.execute(update(EXPORT).where(EXPORT.c.state == "ready").values(expires_at=now()))
        enqueue(session, application.notifier, RECONCILE_BILLING, organisation_id=None, requested_by="operator")
        record(session, application, kind, CLI, None, None, backup=backup_id, count=erased)
    return ended
