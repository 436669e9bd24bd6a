"""Rescue: takes back jobs whose lease lapsed, and ends those over which workers died too often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.jobs.effects import MARK_UNKNOWN
from pigi.jobs.execution.claims import cancel_flagged
from pigi.jobs.kinds import CATALOGUE, MOST_LOSSES
from pigi.jobs.model import transitions
from pigi.jobs.model.transitions import JOB, NOW
from pigi.store.outages import is_away

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlalchemy.sql.dml import Update

    from pigi.store.sessions import ControlDatabase

BATCH = 500
"""Leases a round: a round must end within its second even after all workers of a large installation died at once."""

_LAPSED = (
    select(JOB.c.id, JOB.c.lease_token, JOB.c.lost, JOB.c.kind, JOB.c.cancel_requested_at)
    .where(transitions.IS_RUNNING, JOB.c.lease_until < NOW)
    .order_by(JOB.c.lease_until)
    .limit(BATCH)
)


def rescue(control: ControlDatabase) -> int:
    """Return jobs with lapsed leases to the waiting ones; says how many were moved.

    A job that cannot be moved stops no other; the first one's error is raised in the end. Raises at once while the
    database is away.
    """
    with control.autocommit() as connection:
        lapsed = connection.execute(_LAPSED).all()
    moved, errors = 0, []
    for row in lapsed:
        try:
            moved += _move(control, row)
        except SQLAlchemyError as error:
            if is_away(error):
                raise
            errors.append(error)
    if errors:
        raise errors[0]
    return moved


def _move(control: ControlDatabase, row: Row[Any]) -> int:
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
    # Of a kind that this release does not know it cannot say what cleanup its end needs: that is for one that does.
    if kind is None or row.lost + 1 < MOST_LOSSES or row.cancel_requested_at is not None:
        return transitions.RESCUE, mine
    return transitions.GIVE_UP, {**mine, "cleanup_at": now() if kind.cleanup else None}
