"""Running a cleanup: removes what an ended job need not keep, as its kind declares it; one that fails stays due.

A cleanup that is done apart from its job's end counts like a job: it occupies its partition, and one worker at a time
has its lease. While that lasts, ``published_at`` is set and ``cleanup_at`` lies ahead, at the end of the lease.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, func, or_, select, update

from pigi.clock import now
from pigi.domain.job_state import JobState, backoff
from pigi.jobs.kinds import hook
from pigi.jobs.model.transitions import ID, IS_ENDED, JOB, NOW, UNFENCED, state_is
from pigi.jobs.queueing.partitions import Notification, release
from pigi.logs import RateLimitFilter
from pigi.store.instants import Instant, database_now

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.jobs.kinds import Kind
    from pigi.store.sessions import ControlDatabase

logger = logging.getLogger(__name__)
# Without an organisation's key each of its ended jobs fails alike.
logger.addFilter(RateLimitFilter())

LEASE_MARGIN = timedelta(seconds=30)
"""The lease outlasts the kind's time limit by this, after which the child that had it is gone for certain."""
LONGEST_WAIT = timedelta(minutes=15)
"""Between two tries: well within the hour by which retention may be late."""


@dataclass(frozen=True)
class CleanupLease:
    """The right to clean up after an ended job, until ``until``; nobody else may, and no retry by hand."""

    job_id: str
    partition: str
    queue: str
    organisation_id: str | None
    subject_id: str | None
    state: str
    ended_at: datetime
    failures: int
    until: datetime


_LEASING = (
    update(JOB)
    .values(
        cleanup_at=database_now(bindparam("seconds")),
        published_at=func.coalesce(JOB.c.published_at, NOW),
    )
    .returning(
        JOB.c.id, JOB.c.partition, JOB.c.queue, JOB.c.organisation_id, JOB.c.subject_id,
        JOB.c.state, JOB.c.finished_at, JOB.c.cleanup_failures, JOB.c.cleanup_at,
    )
)  # fmt: skip
_LEASE_DUE = _LEASING.where(ID, IS_ENDED, JOB.c.cleanup_at <= NOW)
_FREE = or_(JOB.c.cleanup_at.is_(None), JOB.c.cleanup_at <= NOW, JOB.c.published_at.is_(None))
_LEASE_FAILED = _LEASING.where(ID, state_is(JobState.FAILED), UNFENCED, _FREE)

LEASE_HOLDS = ID & IS_ENDED & (JOB.c.cleanup_at == bindparam("leased_until", type_=Instant))
"""The row, as long as the cleanup lease lasts."""
_RELEASE_LEASE = (
    update(JOB)
    .where(LEASE_HOLDS)
    .values(
        cleanup_at=bindparam("again", type_=Instant),
        cleanup_failures=bindparam("failed_so_far", type_=Integer),
        published_at=None,
    )
)


def lease_failed(control: ControlDatabase, job_id: str, period: timedelta) -> CleanupLease | None:
    """Keep cleanups, and other retries by hand, from a failed job for ``period``; None if there is one, or a fence."""
    return _lease(control, _LEASE_FAILED, job_id, period)


def lease_holds(control: ControlDatabase, lease: CleanupLease) -> bool:
    """Whether nobody else has taken the lease, which lapses."""
    query = select(JOB.c.id).where(LEASE_HOLDS, JOB.c.cleanup_at > NOW)
    with control.autocommit() as connection:
        return connection.execute(query, _mine(lease)).first() is not None


def _mine(lease: CleanupLease) -> dict[str, object]:
    return {"job_id": lease.job_id, "leased_until": lease.until}


def _lease(control: ControlDatabase, statement: Any, job_id: str, period: timedelta) -> CleanupLease | None:
    with control.autocommit() as connection:
        row: Any = connection.execute(statement, {"job_id": job_id, "seconds": period.total_seconds()}).first()
    return None if row is None else CleanupLease(*row)


def release_lease(
    connection: Connection, lease: CleanupLease, again: datetime | None, failures: int = 0
) -> list[Notification]:
    """End a lease, unless it is another's by now; the next cleanup is due at ``again``, None for never.

    Returns the notifications of what waited for its place in the partition.
    """
    ending = {**_mine(lease), "again": again, "failed_so_far": failures}
    if connection.execute(_RELEASE_LEASE, ending).rowcount != 1:
        return []
    return release(connection, lease.partition, lease.queue)


def clean_up_ended(kind: Kind, application: Any, control: ControlDatabase, job_id: str) -> None:
    """Clean up after an ended job if that is due and nobody does, and note when to come again."""
    lease = _lease(control, _LEASE_DUE, job_id, kind.time_limit + LEASE_MARGIN)
    if lease is None:
        return
    again: datetime | None = now()
    failures = lease.failures
    try:
        again, failures = _run(kind, application, lease)
    finally:
        with control.transaction() as connection:
            notifications = release_lease(connection, lease, again, failures)
        application.notifier.notify(notifications)


def _run(kind: Kind, application: Any, lease: CleanupLease) -> tuple[datetime | None, int]:
    facts = (lease.organisation_id, lease.subject_id, JobState(lease.state), lease.ended_at)
    try:
        return _call(kind, application, *facts), 0
    except Exception as error:  # noqa: BLE001 - whatever it was, the cleanup stays due
        _log(kind, error)
        return now() + backoff(lease.failures, LONGEST_WAIT), lease.failures + 1


def clean_up(  # noqa: PLR0913 - the facts of an ended job
    kind: Kind,
    application: Any,
    organisation_id: str | None,
    subject_id: str | None,
    state: JobState,
    ended_at: datetime,
) -> datetime | None:
    """Clean up as part of a job's end; returns when cleanup is next due. If it fails it is due at once, as its own."""
    try:
        return _call(kind, application, organisation_id, subject_id, state, ended_at)
    except Exception as error:  # noqa: BLE001 - whatever it was, the cleanup stays due
        _log(kind, error)
        return now()


def _call(  # noqa: PLR0913 - the facts of an ended job
    kind: Kind,
    application: Any,
    organisation_id: str | None,
    subject_id: str | None,
    state: JobState,
    ended_at: datetime,
) -> datetime | None:
    if kind.cleanup is None or subject_id is None:
        return None
    again: datetime | None = hook(kind.cleanup)(application, organisation_id, subject_id, state, ended_at)
    return again


def _log(kind: Kind, error: Exception) -> None:
    logger.warning("cleanup of a %s failed (%s), it stays due", kind.name, type(error).__name__)
