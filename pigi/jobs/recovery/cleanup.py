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
"""Cleanups a queue and a round."""
MOST_SLOTS = max(queue.concurrency for queue in QUEUES.values())
_DUE = IS_ENDED & (JOB.c.cleanup_at <= NOW)
_KNOWN = JOB.c.kind.in_(bindparam("kinds", expanding=True))


def _due_cleanups() -> Any:
    """A queue's due cleanups, each with its slot in its partition, and how many others hold one there."""
    slot = func.row_number().over(
        partition_by=JOB.c.partition, order_by=(JOB.c.published_at.is_(None), JOB.c.cleanup_at, JOB.c.id)
    )
    ranked = (
        select(JOB.c.id, JOB.c.kind, JOB.c.queue, JOB.c.partition, JOB.c.cleanup_at, slot.label("slot"))
        .where(_DUE, _KNOWN, JOB.c.queue == bindparam("of_queue"))
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


_QUEUES = select(JOB.c.queue).where(_DUE, _KNOWN).distinct()
_DUE_CLEANUPS = _due_cleanups()
_PUBLISH = update(JOB).where(JOB.c.id.in_(bindparam("ids", expanding=True)), _DUE, JOB.c.published_at.is_(None))


def find_cleanups(control: ControlDatabase, notifier: Notifier) -> list[Notification]:
    """Give due cleanups slots in their partitions; the notifications of those that Redis does not hold yet.

    Queue by queue, so that one whose consumer is away, with all its notifications in Redis, hides no other's.
    """
    known = {"kinds": list(CATALOGUE)}
    with control.autocommit() as connection:
        owing = {row.queue for row in connection.execute(_QUEUES, known)}
    notifications: list[Notification] = []
    for queue in sorted(owing & QUEUES.keys()):
        queued = notifier.queued(queue)
        # None: Redis is away or its queue too long to be searched; a slot would be held for nothing.
        if queued is not None:
            notifications += _give_slots(control, {**known, "of_queue": queue}, QUEUES[queue].concurrency, queued)
    return notifications


def _give_slots(
    control: ControlDatabase, which: dict[str, object], concurrency: int, queued: set[str]
) -> list[Notification]:
    with control.autocommit() as connection:
        due = connection.execute(_DUE_CLEANUPS, which).all()
    chosen = [row.id for row in due if row.slot <= max(concurrency - row.busy, 1)]
    if chosen:
        with control.autocommit() as connection:
            connection.execute(_PUBLISH.values(published_at=NOW), {"ids": chosen})
    return [
        Notification(row.queue, row.kind, row.id)
        for row in due
        if row.slot <= concurrency - row.busy and row.id not in queued
    ]
