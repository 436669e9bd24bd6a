"""Retention report: the age of the oldest row of each class, which proves more than that a sweep ran."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.retention import GRACE, PERIODS, Retention, keep
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import IS_ENDED, JOB
from pigi.operations.retention.sweeps import SWEEP_INTERVAL, SWEEPS, Sweep, is_overdue
from pigi.store.base import ControlBase
from pigi.store.control import Organisation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.privacy import ColumnFacts
    from pigi.jobs.kind import Kind


@dataclass(frozen=True)
class ClassReport:
    """What is kept of a class.

    Attributes:
        keep: the period; None for a class that is kept while something is active.
        since: what it counts from.
        reason: why it is kept at all.
        rows: how many there are, in the control database; None if organisations' own databases hold them.
        oldest: when the period of the oldest row began, for organisations the oldest deletion that is not done; None
            if there is none or the class has no period.
        overdue: whether that row should long be gone.
    """

    retention: str
    keep: timedelta | None
    since: str
    reason: str
    rows: int | None
    oldest: datetime | None = None
    overdue: bool = False


def report_classes(application: Application) -> list[ClassReport]:
    """Every class in the order of `Retention`."""
    moment = now()
    sweeps = {sweep.retention: sweep for sweep in SWEEPS}
    with application.control.autocommit() as connection:
        return [_of_class(connection, retention, sweeps.get(retention), moment) for retention in Retention]


def _of_class(connection: Connection, retention: Retention, sweep: Sweep | None, moment: datetime) -> ClassReport:
    period = PERIODS[retention]
    words = (retention.value, period.keep, period.since, period.reason)
    if sweep is not None:
        return ClassReport(*words, *_swept(connection, sweep, moment))
    if retention is Retention.ORGANISATION:
        return ClassReport(*words, _count(connection, retention), *_deleted(connection, moment))
    if kinds := _kinds_erasing(retention):
        return ClassReport(*words, *_pending_erasure(connection, retention, kinds, moment))
    return ClassReport(*words, _count(connection, retention))


def _swept(connection: Connection, sweep: Sweep, moment: datetime) -> tuple[int, datetime | None, bool]:
    query = select(func.count(), func.min(sweep.age)).select_from(sweep.table).where(*sweep.rows)
    rows, first = _numbers(connection, query)
    oldest = None if first is None else sweep.time_format.read(first)
    return rows, oldest, oldest is not None and is_overdue(sweep, oldest, moment)


LONGEST_PURGE = 2 * SWEEP_INTERVAL
"""The sweep that requests a purge comes round each hour, and so does the next try."""


def _deleted(connection: Connection, moment: datetime) -> tuple[datetime | None, bool]:
    """When the oldest deletion that is not done was requested, and whether the organisation should be gone (P26)."""
    oldest: datetime | None = connection.execute(select(func.min(Organisation.deletion_at))).scalar()
    return oldest, oldest is not None and moment - oldest > GRACE + LONGEST_PURGE


def _kinds_erasing(retention: Retention) -> list[Kind]:
    """The kinds whose cleanup erases this class."""
    return [kind for kind in CATALOGUE.values() if retention in kind.erases]


def _pending_erasure(
    connection: Connection, retention: Retention, kinds: list[Kind], moment: datetime
) -> tuple[int, datetime | None, bool]:
    """Of a class within organisations' databases, which are not opened: ended jobs whose erasing cleanup is pending."""
    pending = JOB.c.kind.in_([kind.name for kind in kinds]) & IS_ENDED & JOB.c.cleanup_at.is_not(None)
    if keep(retention) == timedelta(0):
        # Due at once. A cleanup of a later day is of what is kept longer; so, at first, is one that became due then.
        # One that is held while it runs looks as if it were of a later time, but for its place.
        pending &= (JOB.c.cleanup_at <= moment) | (JOB.c.cleanup_failures > 0) | JOB.c.published_at.is_not(None)
        for later in {other for kind in kinds for other in kind.erases if other is not retention}:
            due = moment - keep(later)
            pending &= ~JOB.c.finished_at.between(due - SWEEP_INTERVAL, due)
    rows, oldest = _numbers(connection, select(func.count(), func.min(JOB.c.finished_at)).where(pending))
    return rows, oldest, oldest is not None and moment - oldest > keep(retention) + SWEEP_INTERVAL


def _numbers(connection: Connection, query: Any) -> tuple[int, Any]:
    row = connection.execute(query).one()
    return int(row[0]), row[1]


def _count(connection: Connection, retention: Retention) -> int | None:
    """Rows of the tables whose key says that they are of this class."""
    tables = [
        table
        for table in ControlBase.metadata.sorted_tables
        if any(_retention_of(column) is retention for column in table.primary_key.columns)
    ]
    if not tables:
        return None
    return sum(connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables)


def _retention_of(column: Any) -> Retention | None:
    facts: ColumnFacts | None = column.info.get("facts")
    return facts.retention if facts else None
