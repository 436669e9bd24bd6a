"""Retention report: the age of the oldest row of each class, which proves more than that a sweep ran."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.retention import GRACE, PERIODS, Retention, end
from pigi.jobs.heartbeats import HEARTBEAT
from pigi.operations.retention.figures import SWEPT_AT, Look, figures, number
from pigi.operations.retention.running import heartbeat
from pigi.operations.retention.sweeps import SWEEP_INTERVAL
from pigi.store.holds import HOLD, IS_ACTIVE
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

    from pigi.application import Application

LONGEST_PURGE = 2 * SWEEP_INTERVAL
"""The sweep that requests a purge comes round each hour, and so does the next try."""


@dataclass(frozen=True)
class ClassReport:
    """What is kept of a class; the fields of `Figures` as there.

    Attributes:
        keep: the period; None for a class that is kept while something is active.
        since: what it counts from.
        period: both in words.
        reason: why it is kept at all.
        tables: those with columns of the class, in either database.
        rows: how many there are, in the control database; None if others hold them, or if they were not counted.
        overdue: whether some row should long be gone.
        holds: how many holds count.
        swept_at: when the class was last swept whole; None for one that is ended otherwise, and before the first time.
        removed: how many rows that sweep removed.
    """

    retention: str
    keep: timedelta | None
    since: str
    period: str
    reason: str
    tables: tuple[str, ...]
    rows: int | None = None
    oldest: datetime | None = None
    due: int = 0
    held: int = 0
    overdue: bool = False
    holds: int = 0
    swept_at: datetime | None = None
    removed: int | None = None


def report_classes(application: Application, *, counted: bool = True) -> list[ClassReport]:
    """Every class in the order of `Retention`; counting all rows is optional, since it costs what there is."""
    with application.control.autocommit() as connection:
        holds = select(HOLD.c.retention, func.count()).where(IS_ACTIVE).group_by(HOLD.c.retention)
        swept = select(HEARTBEAT).where(HEARTBEAT.c.name.like("swept %"))
        look = Look(
            connection,
            now(),
            {row[0]: row[1] for row in connection.execute(holds)},
            {row.name: (row.at, row.note) for row in connection.execute(swept)},
        )
        return [_of_class(look, retention, counted=counted) for retention in Retention]


def _of_class(look: Look, retention: Retention, *, counted: bool) -> ClassReport:
    period = PERIODS[retention]
    found = figures(look, retention)
    rows = _count(look.connection, retention) if counted and found.pending is None else found.pending
    swept_at, note = look.swept.get(heartbeat(retention), (None, None))
    return ClassReport(
        retention.value,
        period.keep,
        period.since,
        period.words,
        period.reason,
        _tables(retention),
        rows,
        found.oldest,
        found.due,
        found.held,
        found.late is not None and look.moment > _late_from(retention, found.late),
        look.holds.get(retention, 0),
        swept_at,
        None if note is None else int(note.split()[0]),
    )


def _late_from(retention: Retention, began: datetime) -> datetime:
    """From when on a row is overdue: its period is over by more than sweeps take to come round."""
    if retention is Retention.ORGANISATION:
        return began + GRACE + LONGEST_PURGE
    return end(retention, began) + SWEEP_INTERVAL


@cache
def _tables(retention: Retention) -> tuple[str, ...]:
    """The tables with a column of this class, those of the control database first."""
    return tuple(
        table.name
        for metadata in (CONTROL, TENANT)
        for table in metadata.sorted_tables
        if any(column.info["facts"].retention is retention for column in table.columns)
    )


def _count(connection: Connection, retention: Retention) -> int | None:
    """Rows of the control database's tables whose key says that they are of this class."""
    tables = [
        table
        for table in CONTROL.sorted_tables
        if any(column.info["facts"].retention is retention for column in table.primary_key.columns)
    ]
    swept = SWEPT_AT.get(retention)
    if swept is not None:
        return number(connection, swept.table, *swept.rows)
    return sum(number(connection, table) for table in tables) if tables else None
