"""Cleanup: removing what an ended job need not keep, as its kind declares it; whatever fails stays owed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.jobs.kinds import hook
from pigi.jobs.model.transitions import JOB

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlDatabase

logger = logging.getLogger(__name__)


def clean_up_ended(kind: Kind, application: Any, control: ControlDatabase, job_id: str) -> None:
    """Clean up after a job, if it has ended, and note when to come again."""
    with control.autocommit() as connection:
        row = connection.execute(select(JOB).where(JOB.c.id == job_id)).first()
    if row is None or row.finished_at is None:
        return
    again = clean_up(kind, application, row.organisation_id, row.subject_id, JobState(row.state), row.finished_at)
    with control.autocommit() as connection:
        connection.execute(update(JOB).where(JOB.c.id == job_id, JOB.c.state == row.state).values(cleanup_at=again))


def clean_up(  # noqa: PLR0913 - the facts of an ended job
    kind: Kind,
    application: Any,
    organisation_id: str | None,
    subject_id: str | None,
    state: JobState,
    ended_at: datetime,
) -> datetime | None:
    """Run the kind's cleanup; returns when it is next due. If it fails it stays due, and the pump comes again."""
    if kind.cleanup is None or subject_id is None:
        return None
    try:
        again: datetime | None = hook(kind.cleanup)(application, organisation_id, subject_id, state, ended_at)
    except Exception as error:  # noqa: BLE001 - whatever it was, it stays owed
        logger.warning("cleanup of a %s failed (%s), it stays due", kind.name, type(error).__name__)
        return now()
    return again
