"""Running a cleanup: removes what an ended job need not keep, as its kind declares it; one that fails stays due.

A cleanup that is done apart from its job's end counts like a job: it occupies its partition, and one worker at a time
has its lease. While that lasts, ``published_at`` is set and ``cleanup_at`` lies ahead, at the end of the lease. It is
extended while the cleanup runs, so that another takes over soon from a worker that was killed.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.domain.job_state import JobState, backoff
from pigi.jobs.execution.timeouts import DATABASE_SECONDS, HEARTBEAT_SECONDS, LEASE_SECONDS
from pigi.jobs.kind import hook
from pigi.jobs.model.claim import LeaseLost
from pigi.jobs.model.transitions import ID, IS_ENDED, JOB, NOW, UNFENCED, state_is
from pigi.jobs.queueing.partitions import Notification, release
from pigi.logs import RateLimitFilter
from pigi.store.instants import Instant, database_now
from pigi.store.outages import retry_while_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.kind import Kind
    from pigi.store.sessions import ControlDatabase

logger = logging.getLogger(__name__)
# Without an organisation's key each of its ended jobs fails alike.
logger.addFilter(RateLimitFilter())

LEASE_PERIOD = timedelta(seconds=LEASE_SECONDS)
"""How long a lease lasts that is not extended."""
LONGEST_WAIT = timedelta(minutes=15)
"""Between two tries: well within the hour by which retention may be late."""


@dataclass(frozen=True)
class EndedJob:
    """What a kind's hooks are told of a job that has ended, or is about to.

    Attributes:
        attempt: the last attempt made; what a hook leaves behind must be out of reach of it and those before.
        check: raises unless the caller may still write; to be called last within a transaction of another database,
            when the rows are locked, so that one that waited too long for them writes nothing over the next one's.
    """

    organisation_id: str | None
    subject_id: str | None
    state: JobState
    ended_at: datetime
    attempt: int
    check: Callable[[], None]


@dataclass(frozen=True)
class CleanupLease:
    """The right to clean up after an ended job, until ``until``; nobody else may, and no retry by hand.

    The moment also tells one lease from another's, so whoever lost it writes nothing over what came of the next.
    """

    job_id: str
    partition: str
    queue: str
    organisation_id: str | None
    subject_id: str | None
    state: str
    ended_at: datetime
    attempt: int
    failures: int
    until: datetime

    def job(self, check: Callable[[], None]) -> EndedJob:
        """The job that is cleaned up after."""
        return EndedJob(self.organisation_id, self.subject_id, JobState(self.state), self.ended_at, self.attempt, check)


_LEASING = (
    update(JOB)
    .values(
        cleanup_at=database_now(bindparam("seconds")),
        published_at=func.coalesce(JOB.c.published_at, NOW),
    )
    .returning(
        JOB.c.id, JOB.c.partition, JOB.c.queue, JOB.c.organisation_id, JOB.c.subject_id,
        JOB.c.state, JOB.c.finished_at, JOB.c.attempt, JOB.c.cleanup_failures, JOB.c.cleanup_at,
    )
)  # fmt: skip
_LEASE_DUE = _LEASING.where(ID, IS_ENDED, JOB.c.cleanup_at <= NOW)
_FREE = or_(JOB.c.cleanup_at.is_(None), JOB.c.cleanup_at <= NOW, JOB.c.published_at.is_(None))
_LEASE_FAILED = _LEASING.where(ID, state_is(JobState.FAILED), UNFENCED, _FREE)

LEASE_HOLDS = ID & IS_ENDED & (JOB.c.cleanup_at == bindparam("leased_until", type_=Instant))
"""The row, as long as the cleanup lease lasts."""
_EXTEND = (
    update(JOB).where(LEASE_HOLDS).values(cleanup_at=database_now(bindparam("seconds"))).returning(JOB.c.cleanup_at)
)
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
    control: ControlDatabase, lease: CleanupLease, again: datetime | None, failures: int = 0
) -> list[Notification]:
    """End a lease, unless it is another's by now; the next cleanup is due at ``again``, None for never.

    Returns the notifications of what waited for its place in the partition.
    """
    return retry_while_unavailable(lambda: _release_lease(control, lease, again, failures), DATABASE_SECONDS)


def _release_lease(
    control: ControlDatabase, lease: CleanupLease, again: datetime | None, failures: int
) -> list[Notification]:
    with control.transaction() as connection:
        ending = {**_mine(lease), "again": again, "failed_so_far": failures}
        if connection.execute(_RELEASE_LEASE, ending).rowcount != 1:
            return []
        return release(connection, lease.partition, lease.queue)


class _Extended:
    """A lease whose end moves on while the cleanup runs.

    The lock keeps an extension from coming between reading the lease's moment and using it.
    """

    def __init__(self, control: ControlDatabase, lease: CleanupLease) -> None:
        self._control = control
        self._lease = lease
        self._lock = threading.Lock()
        self._over = threading.Event()

    def run(self, longest: timedelta) -> None:
        """Extend the lease until it is released, at most for ``longest``, after which a cleanup is stuck."""
        end = time.monotonic() + longest.total_seconds()
        while time.monotonic() < end and not self._over.wait(HEARTBEAT_SECONDS):
            try:
                with self._lock:
                    self._extend()
            except SQLAlchemyError:
                # The database is away. The lease may lapse meanwhile; its moment then guards what is written.
                continue

    def _extend(self) -> None:
        if self._over.is_set():
            return
        parameters = {**_mine(self._lease), "seconds": LEASE_PERIOD.total_seconds()}
        with self._control.autocommit() as connection:
            row = connection.execute(_EXTEND, parameters).first()
        if row is None:
            self._over.set()
        else:
            self._lease = replace(self._lease, until=row.cleanup_at)

    def check(self) -> None:
        """Raise LeaseLost if the lease has lapsed or is another's."""
        with self._lock:
            if not lease_holds(self._control, self._lease):
                raise LeaseLost

    def release_lease(self, again: datetime | None, failures: int) -> list[Notification]:
        """Extend it no more, and end it."""
        self._over.set()
        with self._lock:
            return release_lease(self._control, self._lease, again, failures)


def clean_up_ended(kind: Kind, application: Any, control: ControlDatabase, job_id: str) -> None:
    """Clean up after an ended job if that is due and nobody does, and note when to come again."""
    lease = _lease(control, _LEASE_DUE, job_id, LEASE_PERIOD)
    if lease is None:
        return
    again: datetime | None = now()
    failures = lease.failures
    extended = _Extended(control, lease)
    threading.Thread(target=extended.run, args=(kind.time_limit,), name="cleanup-lease", daemon=True).start()
    try:
        again, failures = _run(kind, application, lease, extended.check)
    finally:
        application.notifier.notify(extended.release_lease(again, failures))


def _run(kind: Kind, application: Any, lease: CleanupLease, check: Callable[[], None]) -> tuple[datetime | None, int]:
    try:
        return _call(kind, application, lease.job(check)), 0
    except Exception as error:  # noqa: BLE001 - whatever it was, the cleanup stays due
        _log(kind, error)
        return now() + backoff(lease.failures, LONGEST_WAIT), lease.failures + 1


def clean_up(kind: Kind, application: Any, job: EndedJob) -> datetime | None:
    """Clean up as part of a job's end; returns when cleanup is next due. If it fails it is due at once, as its own."""
    try:
        return _call(kind, application, job)
    except Exception as error:  # noqa: BLE001 - whatever it was, the cleanup stays due
        _log(kind, error)
        return now()


def _call(kind: Kind, application: Any, job: EndedJob) -> datetime | None:
    if kind.cleanup is None or job.subject_id is None:
        return None
    again: datetime | None = hook(kind.cleanup)(application, job)
    return again


def _log(kind: Kind, error: Exception) -> None:
    logger.warning("cleanup of a %s failed (%s), it stays due", kind.name, type(error).__name__)
