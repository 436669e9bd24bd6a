"""Republish: notifies again of jobs that nobody claimed and whose notification Redis no longer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, literal_column, select, update

from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import IS_WAITING, JOB, NOW
from pigi.jobs.queueing.partitions import Notification
from pigi.store.instants import database_now

if TYPE_CHECKING:
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.store.sessions import ControlDatabase

MISSED_SECONDS = 4
"""A notification so old, unclaimed and not in Redis, was lost: taking one from Redis and claiming takes far less."""
BATCH = 500
"""Jobs a kind and a round: as many as Redis takes in one write without holding up others."""

_UNCLAIMED = (
    select(JOB.c.queue, JOB.c.kind, JOB.c.id)
    .where(
        JOB.c.kind == bindparam("kind"),
        JOB.c.published_at.is_not(None),
        IS_WAITING,
        JOB.c.published_at < database_now(literal_column(f"-{MISSED_SECONDS}")),
    )
    .order_by(JOB.c.published_at)
    .limit(BATCH)
)


def republish(control: ControlDatabase, notifier: Notifier) -> list[Notification]:
    """The notifications that were lost; their jobs count as published anew.

    Kind by kind, so that one whose consumer is away, with all its notifications in Redis, hides no other's.
    """
    lost: list[Notification] = []
    with control.autocommit() as connection:
        for kind in CATALOGUE.values():
            found = connection.execute(_UNCLAIMED, {"kind": kind.name})
            unclaimed = [Notification(row.queue, row.kind, row.id) for row in found]
            queued = notifier.queued(kind.queue) if unclaimed else None
            # None: Redis is away or its queue too long to be searched, so nothing can be said to be lost.
            lost += [one for one in unclaimed if queued is not None and one.job_id not in queued]
        if lost:
            chosen = [one.job_id for one in lost]
            connection.execute(update(JOB).where(JOB.c.id.in_(chosen), IS_WAITING).values(published_at=NOW))
    return lost
