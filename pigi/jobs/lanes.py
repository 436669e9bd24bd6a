"""Fairness: a lane is one organisation's share of one queue, and only so many of it are rung for at a time.

A row with ``published_at`` set occupies its lane: its bell was rung, or it runs. The rest wait in the table.
Whatever leaves a lane lets the next of the same lane in, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, update

from pigi.jobs.moves import IS_WAITING, JOB, NOW
from pigi.jobs.queues import QUEUES
from pigi.store.engines import skip_locked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

NOBODY = "pigi"
LANE = JOB.c.lane == bindparam("lane")
UNRUNG = JOB.c.published_at.is_(None) & IS_WAITING


@dataclass(frozen=True)
class Ring:
    """A bell to ring: what the message in Redis says."""

    queue: str
    kind: str
    job_id: str


def lane_of(organisation_id: str | None, queue: str) -> str:
    """The lane's name; Pigi's own jobs share one lane a queue."""
    return f"{organisation_id or NOBODY}:{queue}"


OCCUPYING = select(func.count()).select_from(JOB).where(LANE, JOB.c.published_at.is_not(None))
NEXT = (
    select(JOB.c.id)
    .where(LANE, UNRUNG, JOB.c.due_at <= NOW)
    .order_by(JOB.c.due_at, JOB.c.id)
    .limit(bindparam("places"))
)


def let_in(connection: Connection, lane: str, queue: str) -> list[Ring]:
    """Mark as rung as many of the lane's due jobs as have a place; ring them after the commit.

    Two callers at once may let in one too many; that costs a moment of fairness and nothing else.
    """
    if connection.execute(NEXT, {"lane": lane, "places": 1}).first() is None:
        return []
    free = QUEUES[queue].window - (connection.execute(OCCUPYING, {"lane": lane}).scalar_one())
    if free <= 0:
        return []
    free_next = skip_locked(connection, NEXT)
    chosen: Sequence[str] = connection.execute(free_next, {"lane": lane, "places": free}).scalars().all()
    if not chosen:
        return []
    rung = connection.execute(
        update(JOB)
        .where(JOB.c.id.in_(chosen), UNRUNG)
        .values(published_at=NOW)
        .returning(JOB.c.queue, JOB.c.kind, JOB.c.id)
    )
    return [Ring(row.queue, row.kind, row.id) for row in rung]
