"""The pump: a tick a second that finds whatever was missed. All recovery is here; none is in the broker.

It takes back lapsed leases, lets due jobs into lanes with a place, rings again for bells that Redis lost,
and rings for what ended jobs still owe. Two pumps at once do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, literal_column, select, update

from pigi.clock import now
from pigi.jobs.effects import MARK_UNKNOWN
from pigi.jobs.execution.claims import cancel_flagged
from pigi.jobs.heartbeats import record
from pigi.jobs.kinds import CATALOGUE, DELIVERIES
from pigi.jobs.model import transitions
from pigi.jobs.model.transitions import IS_ENDED, IS_WAITING, JOB, NOW
from pigi.jobs.queueing.partitions import UNPUBLISHED, Notification, release
from pigi.jobs.queues import QUEUES
from pigi.store.instants import database_now

if TYPE_CHECKING:
    from sqlalchemy import Row, Select
    from sqlalchemy.sql.dml import Update

    from pigi.jobs.queueing.notifications import Notifier
    from pigi.store.sessions import ControlDatabase

MISSED_SECONDS = 4
"""A bell rung so long ago, unclaimed and not in Redis, was lost."""
BATCH = 500


@dataclass(frozen=True)
class Round:
    """What one tick found."""

    rescued: int
    release: int
    republished: int
    cleanups: int


def pump(control: ControlDatabase, notifier: Notifier) -> Round:
    """One tick; raises SQLAlchemyError while the database is away."""
    rescued = rescue(control)
    entered = release_waiting(control)
    missed = find_unanswered(control, notifier)
    cleanups = find_cleanups(control, notifier)
    notifier.notify([*entered, *missed, *cleanups])
    with control.autocommit() as connection:
        record(connection, "pump")
    return Round(rescued, len(entered), len(missed), len(cleanups))


_LAPSED = select(JOB.c.id, JOB.c.lease_token, JOB.c.lost, JOB.c.kind, JOB.c.cancel_requested_at).where(
    transitions.IS_RUNNING, JOB.c.lease_until < NOW
)


def rescue(control: ControlDatabase) -> int:
    """Return jobs whose worker fell silent; end those over which workers died too often."""
    with control.autocommit() as connection:
        lapsed = connection.execute(_LAPSED.order_by(JOB.c.lease_until).limit(BATCH)).all()
    return sum(_judge(control, row) for row in lapsed)


def _judge(control: ControlDatabase, row: Row[Any]) -> int:
    statement, parameters = _verdict(row)
    with control.transaction() as connection:
        moved = connection.execute(statement, parameters).rowcount
        if moved and statement is transitions.GIVE_UP:
            connection.execute(MARK_UNKNOWN, {"of_job": row.id})
        elif moved and row.kind in CATALOGUE:
            cancel_flagged(connection, CATALOGUE[row.kind], row.id)
    return moved


def _verdict(row: Row[Any]) -> tuple[Update, dict[str, object]]:
    mine: dict[str, object] = {"job_id": row.id, "token": row.lease_token}
    kind = CATALOGUE.get(row.kind)
    # Of a kind that this release does not know it cannot say what ending it owes: that is for one that does.
    if kind is None or row.lost + 1 < DELIVERIES or row.cancel_requested_at is not None:
        return transitions.RESCUE, mine
    return transitions.GIVE_UP, {**mine, "cleanup_at": now() if kind.cleanup else None}


def _partitions() -> Select[tuple[str]]:
    first = select(func.min(JOB.c.partition).label("partition")).where(UNPUBLISHED).cte("lanes", recursive=True)
    following = (
        select(func.min(JOB.c.partition)).where(UNPUBLISHED, JOB.c.partition > first.c.partition).scalar_subquery()
    )
    every = first.union_all(select(following).where(first.c.partition.is_not(None)))
    return select(every.c.partition).where(every.c.partition.is_not(None))


PARTITIONS = _partitions()
"""Each lane with a waiting job, by skipping through the index: the cost is the number of lanes, not of jobs."""


def release_waiting(control: ControlDatabase) -> list[Notification]:
    """Let in what is due and has a place, lane by lane; a queue of a newer release is left to its own pump."""
    with control.autocommit() as connection:
        partitions = [str(row.partition) for row in connection.execute(PARTITIONS)]
    notifications: list[Notification] = []
    for partition in partitions:
        queue = partition.rsplit(":", 1)[1]
        if queue in QUEUES:
            with control.transaction() as connection:
                notifications += release(connection, partition, queue)
    return notifications


_UNANSWERED = (
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


def find_unanswered(control: ControlDatabase, notifier: Notifier) -> list[Notification]:
    """Bells that nobody answered and Redis no longer holds; marks them as rung anew.

    Kind by kind, so that one whose consumer is away, with all its bells still ringing, hides no other's.
    """
    missed: list[Notification] = []
    with control.autocommit() as connection:
        for kind in CATALOGUE.values():
            found = connection.execute(_UNANSWERED, {"kind": kind.name})
            silent = [Notification(row.queue, row.kind, row.id) for row in found]
            queued = notifier.queued(kind.queue) if silent else None
            missed += [notification for notification in silent if _is_missed(notification, queued)]
        if missed:
            chosen = [notification.job_id for notification in missed]
            connection.execute(update(JOB).where(JOB.c.id.in_(chosen), IS_WAITING).values(published_at=NOW))
    return missed


def _is_missed(notification: Notification, queued: set[str] | None) -> bool:
    return queued is not None and notification.job_id not in queued


def find_cleanups(control: ControlDatabase, notifier: Notifier) -> list[Notification]:
    """Ended jobs that owe a putting-away and have no bell in Redis yet."""
    with control.autocommit() as connection:
        owed = [
            Notification(row.queue, row.kind, row.id) for row in connection.execute(_OWED, {"kinds": list(CATALOGUE)})
        ]
    queued = {queue: notifier.queued(queue) for queue in {notification.queue for notification in owed}}
    return [notification for notification in owed if _is_missed(notification, queued[notification.queue])]


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
