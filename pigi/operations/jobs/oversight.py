"""All jobs together, for operators: what waits and for how long, what nobody can say, and what the timetable asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, literal_column, select

from pigi.clock import now
from pigi.jobs.effects import EFFECT
from pigi.jobs.heartbeats import SILENCE, last_beats
from pigi.jobs.model.transitions import IS_RUNNING, IS_WAITING, JOB, NOW
from pigi.jobs.queues import QUEUES
from pigi.jobs.schedules import heartbeat_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from pigi.application import Application
    from pigi.jobs.heartbeats import Beat
    from pigi.jobs.schedules import Schedule

# Written as a literal, since a partial index is used only if the planner sees it.
IS_UNKNOWN = EFFECT.c.state == literal_column("'unknown'")
_IS_DUE = JOB.c.due_at <= NOW
_WAITING = (
    select(
        JOB.c.queue,
        func.count(case((_IS_DUE, 1))).label("due"),
        func.count(case((~_IS_DUE, 1))).label("later"),
        func.min(case((_IS_DUE, JOB.c.due_at))).label("oldest"),
    )
    .where(IS_WAITING)
    .group_by(JOB.c.queue)
)
_RUNNING = select(JOB.c.queue, func.count().label("jobs")).where(IS_RUNNING).group_by(JOB.c.queue)


@dataclass(frozen=True)
class QueueView:
    """A queue: how many jobs are due and wait, since when the first of them is due, and how many are due later."""

    name: str
    due: int
    oldest: datetime | None
    later: int
    running: int


@dataclass(frozen=True)
class UnknownEffect:
    """An effect of which nobody can say whether it was had, since a worker died in between."""

    job_id: str
    kind: str
    organisation_id: str | None
    key: str
    reference: str | None
    settled_at: datetime


@dataclass(frozen=True)
class ScheduleView:
    """A schedule: when it last asked for its job, what became of that (None once the job is forgotten), and the next.

    ``overdue`` says that a whole period passed without it.
    """

    kind: str
    why: str
    every: timedelta
    last: datetime | None
    job_id: str | None
    state: str | None
    following: datetime
    overdue: bool


def read_queues(application: Application) -> list[QueueView]:
    """Every queue, in the order in which they are declared."""
    with application.control.autocommit() as connection:
        waiting = {row.queue: row for row in connection.execute(_WAITING)}
        running = {row.queue: row.jobs for row in connection.execute(_RUNNING)}
    return [_queue(name, waiting.get(name), running.get(name, 0)) for name in QUEUES]


def _queue(name: str, row: Any, running: int) -> QueueView:
    if row is None:
        return QueueView(name, 0, None, 0, running)
    return QueueView(name, row.due, row.oldest, row.later, running)


def unknown_effects(application: Application, limit: int = 50) -> list[UnknownEffect]:
    """Effects that are unknown, the newest first, as long as their jobs are kept."""
    query = (
        select(EFFECT, JOB.c.kind, JOB.c.organisation_id)
        .join(JOB, JOB.c.id == EFFECT.c.job_id)
        .where(IS_UNKNOWN)
        .order_by(EFFECT.c.settled_at.desc())
        .limit(limit)
    )
    with application.control.autocommit() as connection:
        return [
            UnknownEffect(row.job_id, row.kind, row.organisation_id, row.key, row.reference, row.settled_at)
            for row in connection.execute(query)
        ]


def count_unknown(application: Application) -> int:
    """How many there are."""
    with application.control.autocommit() as connection:
        return connection.execute(select(func.count()).select_from(EFFECT).where(IS_UNKNOWN)).scalar_one()


def read_schedules(application: Application, timetable: Iterable[Schedule]) -> list[ScheduleView]:
    """Every schedule of the timetable, in its order."""
    schedules, moment = list(timetable), now()
    newest = (
        select(JOB.c.schedule, func.max(JOB.c.id).label("id"))
        .where(JOB.c.schedule.in_([schedule.name for schedule in schedules]))
        .group_by(JOB.c.schedule)
        .subquery()
    )
    query = select(newest.c.schedule, JOB.c.id, JOB.c.state).join(JOB, JOB.c.id == newest.c.id)
    with application.control.autocommit() as connection:
        beats = last_beats(connection)
        jobs = {row.schedule: row for row in connection.execute(query)}
    return [_schedule(one, beats.get(heartbeat_of(one), SILENCE), jobs.get(one.name), moment) for one in schedules]


def count_late_schedules(application: Application, timetable: Iterable[Schedule]) -> int:
    """How many schedules last did their work longer ago than two of their periods."""
    moment = now()
    with application.control.autocommit() as connection:
        beats = last_beats(connection)
    return sum(_is_overdue(one, beats.get(heartbeat_of(one), SILENCE).at, moment) for one in timetable)


def _is_overdue(schedule: Schedule, last: datetime | None, moment: datetime) -> bool:
    return last is not None and moment - last > 2 * schedule.every


def _schedule(schedule: Schedule, beat: Beat, job: Any, moment: datetime) -> ScheduleView:
    begun = schedule.period(moment)
    asked = beat.note == begun.isoformat()
    return ScheduleView(
        kind=schedule.name,
        why=schedule.why,
        every=schedule.every,
        last=beat.at,
        job_id=job.id if job else None,
        state=job.state if job else None,
        following=begun + schedule.every if asked or not schedule.is_due(moment) else moment,
        overdue=_is_overdue(schedule, beat.at, moment),
    )
