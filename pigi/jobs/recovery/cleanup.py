"""Cleanup: has workers clean up after ended jobs that still owe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import IS_ENDED, JOB, NOW
from pigi.jobs.queueing.partitions import Notification

if TYPE_CHECKING:
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.store.sessions import ControlDatabase

BATCH = 500

_OWED = (
    select(JOB.c.queue, JOB.c.kind, JOB.c.id)
    .where(
        JOB.c.cleanup_at.is_not(None),
        JOB.c.cleanup_at <= NOW,
        IS_ENDED,
        JOB.c.kind.in_(bindparam("kinds", expanding=True)),
    )
    .order_by(JOB.c.cleanup_at)
    .limit(BATCH)
)


def find_cleanups(control: ControlDatabase, notifier: Notifier) -> list[Notification]:
    """Ended jobs that owe a cleanup and have no notification in Redis yet."""
    with control.autocommit() as connection:
        owed = [
            Notification(row.queue, row.kind, row.id) for row in connection.execute(_OWED, {"kinds": list(CATALOGUE)})
        ]
    queued = {queue: notifier.queued(queue) for queue in {notification.queue for notification in owed}}
    return [one for one in owed if (known := queued[one.queue]) is not None and one.job_id not in known]
