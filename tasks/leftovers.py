"""What a bell may be about when the job cannot be claimed: a cancel, a fence, or something to put away."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.job_state import ENDED, WAITING, JobState
from pigi.jobs import moves
from pigi.jobs.claim import why_not
from pigi.jobs.effects import SETTLE_OPEN
from pigi.jobs.lanes import let_in
from pigi.jobs.moves import JOB

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.jobs.claim import Unclaimed
    from tasks.runtime import Handler

logger = logging.getLogger(__name__)


def attend(handler: Handler, job_id: str, application: Application) -> None:
    """Do what the job that could not be claimed is owed; a doubled bell is owed nothing."""
    with application.control.quick() as connection:
        found = why_not(connection, job_id)
    if found is None:
        return
    if found.state in WAITING and (found.cancelled or found.fenced):
        end_waiting(handler, job_id, application, found)
    elif found.state in ENDED and found.close_due:
        close_ended(handler, job_id, application)


def end_waiting(handler: Handler, job_id: str, application: Application, found: Unclaimed) -> None:
    """End a job that must not start."""
    reason = "fenced" if found.fenced else "cancelled"
    parameters = {"job_id": job_id, "reason": reason, "close_at": now() if handler.kind.closes else None}
    with application.control.transaction() as connection:
        if connection.execute(moves.CANCEL_WAITING, parameters).rowcount != 1:
            return
        connection.execute(SETTLE_OPEN, {"of_job": job_id})
        lane = connection.execute(select(JOB.c.lane, JOB.c.queue).where(JOB.c.id == job_id)).one()
        rings = let_in(connection, lane.lane, lane.queue)
    application.bell.ring(rings)
    close_ended(handler, job_id, application)


def close_ended(handler: Handler, job_id: str, application: Application) -> None:
    """Put away what an ended job was about, and note when to come again."""
    with application.control.quick() as connection:
        row = connection.execute(select(JOB).where(JOB.c.id == job_id)).first()
        if row is None or row.finished_at is None:
            return
        again = close_quietly(
            handler, application, row.organisation_id, row.subject_id, JobState(row.state), row.finished_at
        )
        connection.execute(update(JOB).where(JOB.c.id == job_id, JOB.c.state == row.state).values(close_at=again))


def close_quietly(  # noqa: PLR0913 - the facts of an ended job
    handler: Handler,
    application: Application,
    organisation_id: str | None,
    subject_id: str | None,
    state: JobState,
    ended_at: datetime,
) -> datetime | None:
    """Run the closing; if it fails the debt stays due, and the pump rings for it again."""
    if handler.closing is None or subject_id is None:
        return None
    try:
        return handler.closing(application, organisation_id, subject_id, state, ended_at)
    except Exception as error:  # noqa: BLE001 - whatever it was, the debt is kept
        logger.warning("closing of a %s failed (%s), it stays due", handler.kind.name, type(error).__name__)
        return now()
