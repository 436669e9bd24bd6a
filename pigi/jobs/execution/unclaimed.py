"""What a bell may be about when the job cannot be claimed: a cancel, a fence, or something to put away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.job_state import ENDED, WAITING
from pigi.jobs.effects import MARK_UNKNOWN
from pigi.jobs.execution.claims import why_unclaimed
from pigi.jobs.execution.cleanup import clean_up_ended
from pigi.jobs.model import transitions
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import release

if TYPE_CHECKING:
    from pigi.jobs.execution.claims import Unclaimed
    from pigi.jobs.execution.worker import Handler, Opened


def handle_unclaimed(handler: Handler, job_id: str, application: Opened) -> None:
    """Do what the job that could not be claimed is owed; a doubled bell is owed nothing."""
    with application.control.autocommit() as connection:
        found = why_unclaimed(connection, job_id)
    if found is None:
        return
    if found.state in WAITING and (found.cancelled or found.fenced):
        end_waiting(handler, job_id, application, found)
    elif found.state in ENDED and found.cleanup_due:
        clean_up_ended(handler.kind, application, application.control, job_id)


def end_waiting(handler: Handler, job_id: str, application: Opened, found: Unclaimed) -> None:
    """End a job that must not start."""
    reason = "fenced" if found.fenced else "cancelled"
    parameters = {"job_id": job_id, "reason": reason, "cleanup_at": now() if handler.kind.cleanup else None}
    with application.control.transaction() as connection:
        if connection.execute(transitions.CANCEL_WAITING, parameters).rowcount != 1:
            return
        connection.execute(MARK_UNKNOWN, {"of_job": job_id})
        partition = connection.execute(select(JOB.c.partition, JOB.c.queue).where(JOB.c.id == job_id)).one()
        notifications = release(connection, partition.partition, partition.queue)
    application.notifier.notify(notifications)
    clean_up_ended(handler.kind, application, application.control, job_id)
