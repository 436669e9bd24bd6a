"""Retention sweeps: one table of what is removed when its period is over (class, rows, column), and the job over it.

Sweeps are state-based: whatever is too old goes, whenever it was last looked. `sweep_jobs` runs them;
`pigi.operations.retention.report` measures with the same table how old the oldest row is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, insert, select, tuple_

from pigi.clock import now
from pigi.domain.retention import Retention, cutoff, keep
from pigi.jobs.execution.isolation import Isolation
from pigi.jobs.heartbeats import record
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import IS_ENDED, JOB
from pigi.operations import audit
from pigi.operations.credentials import OLD_ADDRESS
from pigi.store.billing import BillingEvent, BillingLine, BillingLink, BillingRun
from pigi.store.control import IdempotencyKey, Job, Tombstone, UsageCount
from pigi.store.ledgers import AuditEntry, ErrorLog, Mail, RequestLog, Throttle, UsageSignal
from pigi.store.people import AccountToken, ApiKey, Invitation, Registration, Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlDatabase

BATCH = 1000
"""Rows a transaction: on SQLite a longer write would make every writer wait."""
SWEEP_INTERVAL = timedelta(hours=1)
"""How often all of it is swept (schedules/timetable.py), and so how far over its period a row may be met."""


class RemovalMode(Enum):
    """How a sweep removes rows."""

    REMOVED = "removed"
    TOMBSTONED = "turned into a tombstone"
    PRUNED = "removed behind a signed beginning of what stays"


class TimeFormat(Enum):
    """The form in which a column stores time, with the conversions to it and back."""

    MOMENT = (lambda moment: moment, lambda value: value)
    DAY = (
        lambda moment: moment.date(),
        # The day counts from its end.
        lambda day: datetime.combine(day + timedelta(days=1), time(), UTC),
    )
    SECONDS = (datetime.timestamp, lambda seconds: datetime.fromtimestamp(seconds, UTC))

    @property
    def write(self) -> Callable[[datetime], Any]:
        """A moment as the column holds it."""
        return self.value[0]

    @property
    def read(self) -> Callable[[Any], datetime]:
        """The moment that the column's value stands for."""
        return self.value[1]


@dataclass(frozen=True)
class Sweep:
    """Rows of ``table`` whose ``age``, a column or an expression, is over the period of ``retention``.

    ``among`` narrows it to the rows whose period has begun. ``settled`` says that nobody else changes or removes
    rows so old, so that they need not be locked before they are removed, which costs as much again.
    """

    retention: Retention
    table: Any
    age: Any
    mode: RemovalMode = RemovalMode.REMOVED
    time_format: TimeFormat = TimeFormat.MOMENT
    among: Any = None
    settled: bool = False

    @property
    def rows(self) -> tuple[Any, ...]:
        """The condition on rows of which the period has begun."""
        return () if self.among is None else (self.among,)

    def due(self, moment: datetime) -> Any:
        """The condition on rows that shall go."""
        return self.age < self.time_format.write(cutoff(self.retention, moment))


_KEY_ENDED = case(
    (ApiKey.revoked_at < ApiKey.expires_at, ApiKey.revoked_at),
    else_=ApiKey.expires_at,
)

_LINK_MADE = case(
    # The notice may wait for a mail server longer than any link lives. NULL until its mail ended: not due.
    (
        AccountToken.purpose == OLD_ADDRESS,
        select(Mail.ended_at).where(Mail.subject_id == AccountToken.id).correlate(AccountToken).scalar_subquery(),
    ),
    else_=AccountToken.created_at,
)

SWEEPS: tuple[Sweep, ...] = (
    Sweep(Retention.JOB, Job.__table__, Job.finished_at, RemovalMode.TOMBSTONED, among=IS_ENDED),
    Sweep(Retention.TOMBSTONE, Tombstone.__table__, Tombstone.buried_at, settled=True),
    Sweep(Retention.TOKEN, AccountToken.__table__, _LINK_MADE),
    Sweep(Retention.REGISTRATION, Registration.__table__, Registration.created_at),
    Sweep(Retention.SESSION, Session.__table__, Session.seen_at),
    Sweep(Retention.INVITATION, Invitation.__table__, Invitation.created_at),
    Sweep(Retention.ACCESS_KEY, ApiKey.__table__, _KEY_ENDED),
    Sweep(Retention.IDEMPOTENCY, IdempotencyKey.__table__, IdempotencyKey.created_at),
    Sweep(Retention.THROTTLE, Throttle.__table__, Throttle.full_at, time_format=TimeFormat.SECONDS),
    Sweep(Retention.COUNTER, UsageCount.__table__, UsageCount.day, time_format=TimeFormat.DAY),
    Sweep(Retention.MAIL, Mail.__table__, Mail.created_at),
    Sweep(Retention.BILLING_EVENT, BillingEvent.__table__, BillingEvent.received_at),
    Sweep(Retention.BILLING_LINK, BillingLink.__table__, BillingLink.created_at),
    Sweep(Retention.BILLING_RUN, BillingRun.__table__, BillingRun.began_at, settled=True),
    Sweep(Retention.BILLING_LOG, BillingLine.__table__, BillingLine.year_end, time_format=TimeFormat.DAY, settled=True),
    Sweep(Retention.USAGE, UsageSignal.__table__, UsageSignal.at, settled=True),
    Sweep(Retention.ERROR_LOG, ErrorLog.__table__, ErrorLog.at, settled=True),
    Sweep(Retention.REQUEST_LOG, RequestLog.__table__, RequestLog.at, settled=True),
    Sweep(Retention.AUDIT, AuditEntry.__table__, AuditEntry.at, RemovalMode.PRUNED),
)

HANDLED_ELSEWHERE: dict[Retention, str] = {
    Retention.PURPOSE: "erased by the job's cleanup, before its end can be seen",
    Retention.DRAFT: "erased by the job's cleanup, which comes due a day after the end",
}
"""Classes with a period of which nothing is swept, and what removes them."""


def remove(control: ControlDatabase, sweep: Sweep, moment: datetime) -> int:
    """Remove a batch of the rows that are due; returns how many.

    Rows that somebody holds are left for the next time, so that no sweep can be part of a deadlock. One that
    is made young again meanwhile, such as a key that is taken over, stays: the condition is checked again on the row
    as it is when it is deleted.
    """
    key = list(sweep.table.primary_key.columns)
    due = sweep.due(moment)
    chosen = select(*key).where(due).limit(BATCH)
    if not sweep.settled:
        chosen = chosen.with_for_update(skip_locked=True)
    which = key[0].in_(chosen) if len(key) == 1 else tuple_(*key).in_(chosen)
    still_due = () if sweep.settled else (due,)
    with control.transaction() as connection:
        return int(connection.execute(delete(sweep.table).where(which, *still_due)).rowcount)


def is_overdue(sweep: Sweep, oldest: datetime, moment: datetime) -> bool:
    """Whether a row has outlived its period by more than sweeps take to come round."""
    return moment - oldest > keep(sweep.retention) + SWEEP_INTERVAL


TOMBSTONE: Any = Tombstone.__table__


def answer_probe(context: JobContext) -> None:
    """Show that the queue of this probe has a working consumer."""
    with context.control.autocommit() as connection:
        record(connection, f"queue {context.job.queue}")


def sweep_jobs(context: JobContext, application: Application) -> None:
    """Remove whatever is past its period, class by class.

    A class that fails stops no other; what failed first is raised after the rest, as Permanent ``audit_broken``.
    """
    moment, swept = now(), 0
    isolation = Isolation("retention")
    for sweep in SWEEPS:
        with isolation.of(sweep.retention):
            for count in _sweep(application, sweep, moment):
                swept += count
                context.checkpoint()
                context.progress(swept, swept + BATCH, "sweeping")
    isolation.report(len(SWEEPS))
    if isolation.first is not None:
        raise isolation.first


def _sweep(application: Application, sweep: Sweep, moment: datetime) -> Iterator[int]:
    if sweep.mode is RemovalMode.TOMBSTONED:
        yield from _remove_jobs(application.control, moment)
    elif sweep.mode is RemovalMode.PRUNED:
        yield from _until_none(partial(audit.prune, application, cutoff(sweep.retention, moment), BATCH))
    else:
        yield from _until_none(partial(remove, application.control, sweep, moment))


def _remove_jobs(control: ControlDatabase, moment: datetime) -> Iterator[int]:
    for name, kind in CATALOGUE.items():
        yield from _until_none(
            partial(remove_jobs, control, name, moment - kind.row_kept, keep_tombstones=kind.tombstone)
        )
    yield from _until_none(partial(remove_jobs, control, None, cutoff(Retention.JOB, moment), keep_tombstones=True))


def _until_none(step: Callable[[], int]) -> Iterator[int]:
    while count := step():
        yield count


def remove_jobs(control: ControlDatabase, kind: str | None, before: datetime, *, keep_tombstones: bool) -> int:
    """Remove a batch of ended jobs of one kind, replaced by tombstones if wanted; returns how many.

    None stands for all kinds that the catalogue no longer has. A job whose cleanup is pending
    stays: its row is what remembers the cleanup.
    """
    which = JOB.c.kind.not_in(list(CATALOGUE)) if kind is None else JOB.c.kind == kind
    due = select(JOB.c.id).where(which, IS_ENDED, JOB.c.finished_at < before, JOB.c.cleanup_at.is_(None)).limit(BATCH)
    with control.transaction() as connection:
        chosen: Sequence[str] = connection.execute(due.with_for_update(skip_locked=True)).scalars().all()
        if chosen and keep_tombstones:
            shared = [column.name for column in TOMBSTONE.c if column.name != "buried_at"]
            rows = select(*(JOB.c[name] for name in shared), bindparam("moment", now(), Job.created_at.type))
            connection.execute(insert(TOMBSTONE).from_select([*shared, "buried_at"], rows.where(JOB.c.id.in_(chosen))))
        if chosen:
            connection.execute(delete(JOB).where(JOB.c.id.in_(chosen)))
    return len(chosen)
