"""Fairness: a partition is one organisation's share of one queue, with as many slots as the queue's limit.

A row with ``published_at`` set holds a slot: a worker was notified of it, or it runs, or is cleaned up after. The
rest wait in the table. Whatever leaves a partition lets the next of it in, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, any_, bindparam, case, func, literal_column, select, update

from pigi.domain.job_state import WAITING
from pigi.jobs.model.transitions import IS_WAITING, JOB, NOW, state_is
from pigi.jobs.queues import QUEUES
from pigi.store.engines import is_sqlite

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from pigi.jobs.kind import Kind
    from pigi.store.sessions import ControlDatabase

PARTITION = JOB.c.partition == bindparam("of_partition")
UNPUBLISHED = JOB.c.published_at.is_(None) & IS_WAITING


@dataclass(frozen=True)
class Notification:
    """What a message in Redis says, and nothing else: the kind and the job, in the list of its queue."""

    queue: str
    kind: str
    job_id: str


def partition_of(organisation_id: str | None, kind: Kind) -> str:
    """The partition's name; that of Pigi's own jobs begins as their kind says."""
    return f"{organisation_id or kind.partition_prefix}:{kind.queue}"


def queue_of(partition: str) -> str:
    """The queue of which a partition is a share; this release may not know it."""
    return partition.rsplit(":", 1)[1]


def _releasing(*, skip_locked: bool) -> Any:
    waiting, active_job = JOB.alias("waiting"), JOB.alias("active_job")
    active = (
        select(func.count())
        .select_from(active_job)
        .where(active_job.c.partition == bindparam("of_partition"), active_job.c.published_at.is_not(None))
        .scalar_subquery()
    )
    free = bindparam("concurrency", type_=Integer) - active
    following = (
        select(waiting.c.id)
        .where(
            waiting.c.partition == bindparam("of_partition"),
            waiting.c.published_at.is_(None),
            state_is(*WAITING, of=waiting),
            waiting.c.due_at <= NOW,
        )
        .order_by(waiting.c.due_at, waiting.c.id)
        # Negative would mean "no limit" on SQLite and an error on PostgreSQL.
        .limit(case((free > 0, free), else_=literal_column("0")))
    )
    if skip_locked:
        # An array is made once: PostgreSQL may run a subquery again for each row, and each run would lock
        # further rows. It also keeps the planner from reading every waiting job of every partition.
        array = following.with_for_update(skip_locked=True, of=waiting)
        chosen = JOB.c.id == any_(func.array(array.scalar_subquery()))
    else:
        chosen = JOB.c.id.in_(following)
    return update(JOB).where(chosen).values(published_at=NOW).returning(JOB.c.queue, JOB.c.kind, JOB.c.id)


_RELEASE = {sqlite: _releasing(skip_locked=not sqlite) for sqlite in (True, False)}


def release(connection: Connection, partition: str, queue: str) -> list[Notification]:
    """Publish as many of the partition's due jobs as have a slot; send the notifications after the commit.

    Two callers at once may let in one too many; that costs a moment of fairness and nothing else.
    """
    statement = _RELEASE[is_sqlite(connection)]
    published = connection.execute(statement, {"of_partition": partition, "concurrency": QUEUES[queue].concurrency})
    return [Notification(row.queue, row.kind, row.id) for row in published]


def still_waiting(control: ControlDatabase, job_ids: Collection[str]) -> set[str]:
    """Which of these jobs are published and not claimed yet."""
    published = select(JOB.c.id).where(JOB.c.id.in_(job_ids), JOB.c.published_at.is_not(None), IS_WAITING)
    with control.autocommit() as connection:
        return {row.id for row in connection.execute(published)}
