"""Schedules: a tick inserts a job unique on (schedule, period).

Several beats, doubled ticks and missed ticks all collapse into that constraint. A period is named by its
start in UTC. Sweeps look at the state ("all that is older than policy"), so one late run makes up for many.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from pigi.jobs.heartbeats import last_notes, record
from pigi.jobs.queueing.enqueue import enqueue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pigi.jobs.kind import Kind
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.store.sessions import ControlDatabase

EPOCH_START = datetime(2020, 1, 1, tzinfo=UTC)
"""Where the count of periods begins: on a Wednesday, so weeks do too, unless ``offset`` moves them."""


class CatchUp(StrEnum):
    """What a tick does about periods that passed unseen."""

    LATEST = "latest"
    """One job for the newest period, however late: enough for a state-based sweep."""
    SKIP = "skip"
    """Nothing, once half of the period has passed: a late run would say nothing."""


@dataclass(frozen=True)
class Schedule:
    """``kind`` each ``every``, starting ``offset`` after midnight UTC; ``why`` says why then."""

    kind: Kind
    every: timedelta
    catch_up: CatchUp
    why: str
    offset: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        """A schedule is named after its kind."""
        return self.kind.name

    def period(self, moment: datetime) -> datetime:
        """The start of the period in which ``moment`` lies."""
        origin = EPOCH_START + self.offset
        return origin + self.every * ((moment - origin) // self.every)

    def is_due(self, moment: datetime) -> bool:
        """Whether the catch-up rule still wants the current period's job."""
        return self.catch_up is CatchUp.LATEST or moment - self.period(moment) < self.every / 2


def tick(control: ControlDatabase, notifier: Notifier, timetable: Iterable[Schedule], moment: datetime) -> list[str]:
    """Insert what is due and was not inserted yet; returns the names of the schedules that were.

    Raises SQLAlchemyError while the database is away.
    """
    with control.autocommit() as connection:
        last = last_notes(connection)
    due = [
        schedule
        for schedule in timetable
        if last.get(heartbeat_of(schedule)) != schedule.period(moment).isoformat() and schedule.is_due(moment)
    ]
    return [
        schedule.name for schedule in due if _insert(control, notifier, schedule, schedule.period(moment).isoformat())
    ]


def heartbeat_of(schedule: Schedule) -> str:
    """The name of the heartbeat that says when it last asked, and for which period."""
    return f"schedule {schedule.name}"


def _insert(control: ControlDatabase, notifier: Notifier, schedule: Schedule, period: str) -> bool:
    try:
        with control.begin() as session:
            record(session.connection(), heartbeat_of(schedule), period)
            enqueue(
                session,
                notifier,
                schedule.kind,
                organisation_id=None,
                requested_by="schedule",
                schedule=schedule.name,
                period=period,
            )
    except IntegrityError:
        with control.autocommit() as connection:
            record(connection, heartbeat_of(schedule), period)
        return False
    return True
