"""Release: lets waiting jobs that are due into partitions with room, where nothing leaves that would let them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, select

from pigi.jobs.model.transitions import JOB, NOW
from pigi.jobs.queueing.partitions import UNPUBLISHED, Notification, queue_of, release
from pigi.jobs.queues import QUEUES

if TYPE_CHECKING:
    from pigi.store.sessions import ControlDatabase


def _due() -> Any:
    # An index has the waiting jobs by time and partition: what is not due is never read, and of what is due no row.
    # An expression instead of the column, or SQLite reads the index that is in the order of partitions, to its end.
    partition = (JOB.c.partition + literal("")).label("partition")
    due = select(partition).where(UNPUBLISHED, JOB.c.due_at <= NOW).distinct().subquery()
    other = JOB.alias("other")
    active = (
        select(func.count())
        .select_from(other)
        .where(other.c.partition == due.c.partition, other.c.published_at.is_not(None))
        .scalar_subquery()
    )
    return select(due.c.partition, active.label("active"))


DUE = _due()
"""Each partition with a waiting job that is due, and how many of its slots are taken."""


def release_waiting(control: ControlDatabase) -> list[Notification]:
    """Let in what is due and has room, partition by partition; a newer release's queue is left to its own pump."""
    with control.autocommit() as connection:
        due = connection.execute(DUE).all()
    notifications: list[Notification] = []
    for row in due:
        queue = QUEUES.get(queue_of(row.partition))
        if queue is not None and row.active < queue.concurrency:
            with control.transaction() as connection:
                notifications += release(connection, row.partition, queue.name)
    return notifications
