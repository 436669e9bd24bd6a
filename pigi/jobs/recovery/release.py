"""Release: lets waiting jobs that are due into partitions with room, where nothing leaves that would let them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import UNPUBLISHED, Notification, release
from pigi.jobs.queues import QUEUES

if TYPE_CHECKING:
    from sqlalchemy import Select

    from pigi.store.sessions import ControlDatabase


def _partitions() -> Select[tuple[str]]:
    first = select(func.min(JOB.c.partition).label("partition")).where(UNPUBLISHED).cte("lanes", recursive=True)
    following = (
        select(func.min(JOB.c.partition)).where(UNPUBLISHED, JOB.c.partition > first.c.partition).scalar_subquery()
    )
    every = first.union_all(select(following).where(first.c.partition.is_not(None)))
    return select(every.c.partition).where(every.c.partition.is_not(None))


PARTITIONS = _partitions()
"""Each partition with a waiting job, by skipping through the index: the cost is their number, not that of jobs."""


def release_waiting(control: ControlDatabase) -> list[Notification]:
    """Let in what is due and has room, partition by partition; a newer release's queue is left to its own pump."""
    with control.autocommit() as connection:
        partitions = [str(row.partition) for row in connection.execute(PARTITIONS)]
    notifications: list[Notification] = []
    for partition in partitions:
        queue = partition.rsplit(":", 1)[1]
        if queue in QUEUES:
            with control.transaction() as connection:
                notifications += release(connection, partition, queue)
    return notifications
