"""Aggregation of usage signals into daily counts that are about nobody, after which the signals go (P04, P11).

A day's uses of a feature are counted only if at least `LEAST_ORGANISATIONS` used it, and rounded: so no count
says what one of them did. There are no totals, from which a count that was left out could be worked out.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from pigi.clock import now
from pigi.domain.retention import Retention
from pigi.operations.retention.ownership import free
from pigi.store.engines import insert_into
from pigi.store.holds import held_organisations, lock_holds
from pigi.store.ledgers import UsageDaily
from pigi.store.log_entries import USAGE

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlDatabase

DAILY: Any = UsageDaily.__table__
LEAST_ORGANISATIONS = 10
ROUNDED_TO = 10
BATCH = 1000


def aggregate_usage(context: JobContext, application: Application) -> None:
    """Count every day that is over, then remove its signals. A count, once made, is never changed."""
    while (day := _oldest_day(application.control)) is not None and day < now().date():
        _count(application.control, day)
        while _remove(application.control, day):
            context.checkpoint()


def rounded(count: int) -> int:
    """To the nearest ten, halves up."""
    return (count + ROUNDED_TO // 2) // ROUNDED_TO * ROUNDED_TO


def _oldest_day(control: ControlDatabase) -> date | None:
    with control.autocommit() as connection:
        oldest = connection.execute(select(func.min(USAGE.c.at)).where(*_free(connection))).scalar()
    return None if oldest is None else oldest.date()


def _free(connection: Connection) -> tuple[Any, ...]:
    """Signals that no hold keeps; held ones are counted with the rest of their day, and stay."""
    return free(Retention.USAGE, held_organisations(connection, Retention.USAGE))


def _within(day: date) -> Any:
    begin = datetime.combine(day, time(), UTC)
    return (USAGE.c.at >= begin) & (USAGE.c.at < begin + timedelta(days=1))


def _count(control: ControlDatabase, day: date) -> None:
    groups = func.count(USAGE.c.organisation_id.distinct())
    counts = (
        select(USAGE.c.event, func.count().label("uses"))
        .where(_within(day))
        .group_by(USAGE.c.event)
        .having(groups >= LEAST_ORGANISATIONS)
    )
    with control.transaction() as connection:
        rows = [{"day": day, "event": row.event, "count": rounded(row.uses)} for row in connection.execute(counts)]
        if rows:
            connection.execute(insert_into(connection, DAILY).on_conflict_do_nothing(), rows)


def _remove(control: ControlDatabase, day: date) -> int:
    with control.transaction() as connection:
        lock_holds(connection, shared=True)
        chosen = select(USAGE.c.id).where(_within(day), *_free(connection)).limit(BATCH)
        return int(connection.execute(delete(USAGE).where(USAGE.c.id.in_(chosen))).rowcount)
