"""The pump: a tick a second that finds whatever was missed. All recovery is here; none is in the broker.

It takes back lapsed leases, lets due jobs into lanes with a place, rings again for bells that Redis lost,
and rings for what ended jobs still owe. Two pumps at once do no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, literal_column, select, update

from pigi.clock import now
from pigi.jobs.effects import SETTLE_OPEN
from pigi.jobs.heartbeats import record
from pigi.jobs.kinds import CATALOGUE, DELIVERIES
from pigi.jobs.model import transitions
from pigi.jobs.model.transitions import IS_ENDED, IS_WAITING, JOB, NOW
from pigi.jobs.queueing.partitions import UNRUNG, Ring, let_in
from pigi.jobs.queues import QUEUES
from pigi.store.instants import database_now

if TYPE_CHECKING:
    from sqlalchemy import Row, Select
    from sqlalchemy.sql.dml import Update

    from pigi.jobs.queueing.notifications import Bell
    from pigi.store.sessions import ControlDatabase

MISSED_SECONDS = 4
"""A bell rung so long ago, unclaimed and not in Redis, was lost."""
BATCH = 500


@dataclass(frozen=True)
class Round:
    """What one tick found."""

    taken_back: int
    let_in: int
    rung_again: int
    closings: int


def pump(control: ControlDatabase, bell: Bell) -> Round:
    """One tick; raises SQLAlchemyError while the database is away."""
    taken_back = take_back(control)
    entered = open_lanes(control)
    missed = find_missed(control, bell)
    closings = find_closings(control, bell)
    bell.ring([*entered, *missed, *closings])
    with control.quick() as connection:
        record(connection, "pump")
    return Round(taken_back, len(entered), len(missed), len(closings))


_LAPSED = select(JOB.c.id, JOB.c.lease_token, JOB.c.lost, JOB.c.kind).where(
    transitions.IS_RUNNING, JOB.c.lease_until < NOW
)


def take_back(control: ControlDatabase) -> int:
    """Return jobs whose worker fell silent; end those over which workers died too often."""
    with control.quick() as connection:
        lapsed = connection.execute(_LAPSED.order_by(JOB.c.lease_until).limit(BATCH)).all()
    return sum(_judge(control, row) for row in lapsed)


def _judge(control: ControlDatabase, row: Row[tuple[str, str, int, str]]) -> int:
    statement, parameters = _verdict(row)
    with control.transaction() as connection:
        moved = connection.execute(statement, parameters).rowcount
        if moved and statement is transitions.GIVE_UP:
            connection.execute(SETTLE_OPEN, {"of_job": row.id})
    return moved


def _verdict(row: Row[tuple[str, str, int, str]]) -> tuple[Update, dict[str, object]]:
    mine: dict[str, object] = {"job_id": row.id, "token": row.lease_token}
    kind = CATALOGUE.get(row.kind)
    # Of a kind that this release does not know it cannot say what ending it owes: that is for one that does.
    if kind is None or row.lost + 1 < DELIVERIES:
        return transitions.TAKE_BACK, mine
    return transitions.GIVE_UP, {**mine, "close_at": now() if kind.cleanup else None}


def _lanes() -> Select[tuple[str]]:
    first = select(func.min(JOB.c.lane).label("lane")).where(UNRUNG).cte("lanes", recursive=True)
    following = select(func.min(JOB.c.lane)).where(UNRUNG, JOB.c.lane > first.c.lane).scalar_subquery()
    every = first.union_all(select(following).where(first.c.lane.is_not(None)))
    return select(every.c.lane).where(every.c.lane.is_not(None))


LANES = _lanes()
"""Each lane with a waiting job, by skipping through the index: the cost is the number of lanes, not of jobs."""


def open_lanes(control: ControlDatabase) -> list[Ring]:
    """Let in what is due and has a place, lane by lane; a queue of a newer release is left to its own pump."""
    with control.quick() as connection:
        lanes = [str(row.lane) for row in connection.execute(LANES)]
    rings: list[Ring] = []
    for lane in lanes:
        queue = lane.rsplit(":", 1)[1]
        if queue in QUEUES:
            with control.transaction() as connection:
                rings += let_in(connection, lane, queue)
    return rings


_RUNG_LONG_AGO = (
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


def find_missed(control: ControlDatabase, bell: Bell) -> list[Ring]:
    """Bells that nobody answered and Redis no longer holds; marks them as rung anew.

    Kind by kind, so that one whose consumer is away, with all its bells still ringing, hides no other's.
    """
    missed: list[Ring] = []
    with control.quick() as connection:
        for kind in CATALOGUE.values():
            found = connection.execute(_RUNG_LONG_AGO, {"kind": kind.name})
            silent = [Ring(row.queue, row.kind, row.id) for row in found]
            ringing = bell.ringing(kind.queue) if silent else None
            missed += [ring for ring in silent if _is_missed(ring, ringing)]
        if missed:
            chosen = [ring.job_id for ring in missed]
            connection.execute(update(JOB).where(JOB.c.id.in_(chosen), IS_WAITING).values(published_at=NOW))
    return missed


def _is_missed(ring: Ring, ringing: set[str] | None) -> bool:
    return ringing is not None and ring.job_id not in ringing


def find_closings(control: ControlDatabase, bell: Bell) -> list[Ring]:
    """Ended jobs that owe a putting-away and have no bell in Redis yet."""
    with control.quick() as connection:
        owed = [Ring(row.queue, row.kind, row.id) for row in connection.execute(_OWED, {"kinds": list(CATALOGUE)})]
    ringing = {queue: bell.ringing(queue) for queue in {ring.queue for ring in owed}}
    return [ring for ring in owed if _is_missed(ring, ringing[ring.queue])]


_OWED = (
    select(JOB.c.queue, JOB.c.kind, JOB.c.id)
    .where(
        JOB.c.close_at.is_not(None), JOB.c.close_at <= NOW, IS_ENDED, JOB.c.kind.in_(bindparam("kinds", expanding=True))
    )
    .order_by(JOB.c.close_at)
    .limit(BATCH)
)
