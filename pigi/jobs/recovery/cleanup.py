"""Recovery of cleanups: notifies workers of those that are due, within the limits of their partitions.

An ended job whose cleanup has a slot in its partition has ``published_at`` set, like a job. Jobs and cleanups share
the slots. Where jobs hold all of them, one cleanup a partition takes the next that becomes free, since a
partition whose jobs never end would otherwise keep for ever what it must not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select, update

from pigi.domain.job_state import ENDED
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import IS_ENDED, JOB, NOW, state_is
from pigi.jobs.queueing.partitions import Notification
from pigi.jobs.queues import QUEUES

if TYPE_CHECKING:
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.store.sessions import ControlDatabase

BATCH = 500
MOST_SLOTS = max(queue.concurrency for queue in QUEUES.values())
_DUE = IS_ENDED & (JOB.c.cleanup_at <= NOW)


def _due_cleanups() -> Any:
    """Due cleanups, each with its slot in its partition, and how many slots jobs and running cleanups hold there."""
    slot = func.row_number().over(
        partition_by=JOB.c.partition, order_by=(JOB.c.published_at.is_(None), JOB.c.cleanup_at, JOB.c.id)
    )
    known = JOB.c.kind.in_(bindparam("kinds", expanding=True))
    ranked = (
        select(JOB.c.id, JOB.c.kind, JOB.c.queue, JOB.c.partition, JOB.c.cleanup_at, slot.label("slot"))
        .where(_DUE, known)
        .subquery()
    )
    other = JOB.alias("other")
    due_too = state_is(*ENDED, of=other) & (other.c.cleanup_at <= NOW)
    busy = (
        select(func.count())
        .select_from(other)
        .where(other.c.partition == ranked.c.partition, other.c.published_at.is_not(None), ~due_too)
        .scalar_subquery()
    )
    first = select(ranked, busy.label("busy")).where(ranked.c.slot <= MOST_SLOTS)
    return first.order_by(ranked.c.slot, ranked.c.cleanup_at).limit(BATCH)


_DUE_CLEANUPS = _due_cleanups()
_PUBLISH = update(JOB).where(JOB.c.id.in_(bindparam("ids", expanding=True)), _DUE, JOB.c.published_at.is_(None))


def find_cleanups(control: ControlDatabase, notifier: Notifier) -> list[Notification]:
    """Give due cleanups slots in their partitions; the notifications of those that Redis does not hold yet."""
    with control.autocommit() as connection:
        due = connection.execute(_DUE_CLEANUPS, {"kinds": list(CATALOGUE)}).all()
    queued = {queue: notifier.queued(queue) for queue in {row.queue for row in due}}
    # None: Redis is away or its queue too long to be searched; a slot would be held for nothing.
    reachable = [row for row in due if queued[row.queue] is not None and row.queue in QUEUES]
    slots = {row.id: QUEUES[row.queue].concurrency - row.busy for row in reachable}
    chosen = [row.id for row in reachable if row.slot <= max(slots[row.id], 1)]
    if chosen:
        with control.autocommit() as connection:
            connection.execute(_PUBLISH.values(published_at=NOW), {"ids": chosen})
    return [
        Notification(row.queue, row.kind, row.id)
        for row in reachable
        if row.slot <= slots[row.id] and row.id not in (queued[row.queue] or ())
    ]
