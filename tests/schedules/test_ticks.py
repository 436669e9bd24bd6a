"""Ticks: whatever beats do, a period has one job."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select

from pigi.jobs.heartbeats import last_notes
from pigi.jobs.kinds import (
    ANCHOR_AUDIT,
    ANNOUNCE_POLICY,
    BEGIN_ROUND,
    CATALOGUE,
    CHECKS,
    FOLD_USAGE,
    MAKE_BACKUP,
    PROBES,
    RECONCILE_BILLING,
    ROTATE_DUE_KEYS,
    ROTATE_KEYRING,
    SWEEP_GENERATIONS,
    SWEEP_IMPORTS,
    SWEEP_JOBS,
    SWEEP_ORGANISATIONS,
    SWEEPS,
    WARN_OF_KEYS,
    WATCH_PROMISES,
)
from pigi.jobs.model.transitions import JOB
from pigi.jobs.schedules import EPOCH_START, CatchUp, Schedule, tick
from schedules.timetable import TIMETABLE
from tests.support.processes import HANDS, tick_once

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOURLY = Schedule(SWEEP_JOBS, timedelta(hours=1), CatchUp.LATEST, "test")
SKIPPING = Schedule(PROBES["mail"], timedelta(hours=1), CatchUp.SKIP, "test")
PERIODS = some.timedeltas(timedelta(seconds=1), timedelta(days=40))
MOMENTS = some.timedeltas(timedelta(0), timedelta(days=29_000)).map(lambda since: EPOCH_START + since)


def inserted(control):
    """The schedule and period of each job there is."""
    with control.autocommit() as connection:
        return [tuple(row) for row in connection.execute(select(JOB.c.schedule, JOB.c.period).order_by(JOB.c.period))]


def at(control, application, moment, *timetable):
    return tick(control, application.notifier, timetable, moment)


@given(PERIODS, some.timedeltas(timedelta(0), timedelta(days=1)), MOMENTS)
def test_a_moment_lies_in_its_period(every, offset, moment):
    schedule = Schedule(SWEEP_JOBS, every, CatchUp.LATEST, "test", offset)
    start = schedule.period(moment)
    assert start <= moment < start + every
    assert schedule.period(start) == start
    assert schedule.period(start + every) == start + every


@given(MOMENTS, some.integers(-12, 14))
def test_a_period_is_the_same_in_every_zone(moment, hours):
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    for schedule in TIMETABLE:
        assert schedule.period(elsewhere).isoformat() == schedule.period(moment).isoformat()
        assert schedule.period(elsewhere).utcoffset() == timedelta(0)


@pytest.mark.parametrize("schedule", TIMETABLE, ids=lambda schedule: schedule.name)
def test_every_schedule_names_a_kind_of_the_catalogue_and_says_why(schedule):
    assert CATALOGUE[schedule.name] is schedule.kind
    assert schedule.why
    assert len(f"schedule {schedule.name}") <= 40


def test_everything_that_nobody_asks_for_is_on_the_timetable():
    wanted = [
        *PROBES.values(),
        *CHECKS.values(),
        BEGIN_ROUND,
        WATCH_PROMISES,
        *SWEEPS.values(),
        SWEEP_GENERATIONS,
        SWEEP_IMPORTS,
        SWEEP_ORGANISATIONS,
        MAKE_BACKUP,
        ANCHOR_AUDIT,
        ANNOUNCE_POLICY,
        FOLD_USAGE,
        RECONCILE_BILLING,
        ROTATE_DUE_KEYS,
        ROTATE_KEYRING,
        WARN_OF_KEYS,
    ]
    assert Counter(schedule.name for schedule in TIMETABLE) == Counter(kind.name for kind in wanted)


def test_a_tick_inserts_the_current_period_once(control, application):
    assert at(control, application, NOON, HOURLY) == ["jobs.sweep"]
    assert at(control, application, NOON + timedelta(minutes=59), HOURLY) == []
    assert inserted(control) == [("jobs.sweep", "2026-03-01T12:00:00+00:00")]


def test_the_next_period_begins_at_its_boundary(control, application):
    for seconds in (0, 3599, 3600, 3601):
        at(control, application, NOON + timedelta(seconds=seconds), HOURLY)
    assert [period for _, period in inserted(control)] == ["2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+00:00"]


def test_a_tick_by_another_beat_finds_the_period_taken(control, application):
    at(control, application, NOON, HOURLY)
    with control.autocommit() as connection:
        connection.exec_driver_sql("DELETE FROM heartbeat")
    assert at(control, application, NOON, HOURLY) == []
    assert len(inserted(control)) == 1
    with control.autocommit() as connection:
        assert last_notes(connection)["schedule jobs.sweep"] == "2026-03-01T12:00:00+00:00"


@pytest.mark.timeout(120)
def test_beats_in_many_processes_insert_each_job_once(control, settings, crowd):
    names = [name for got in crowd.do(tick_once, settings, NOON) for name in got]
    assert len(names) == len(set(names)) == len(inserted(control)) == len(set(inserted(control)))
    assert HANDS > 1
    assert set(names) == {schedule.name for schedule in TIMETABLE if schedule.is_due(NOON)}


def test_of_missed_periods_a_sweep_runs_for_the_latest(control, application):
    at(control, application, NOON, HOURLY)
    assert at(control, application, NOON + timedelta(days=3, minutes=59), HOURLY) == ["jobs.sweep"]
    assert [period for _, period in inserted(control)][1:] == ["2026-03-04T12:00:00+00:00"]


@pytest.mark.parametrize(("minutes", "expected"), [(0, 1), (29, 1), (30, 0), (59, 0)])
def test_a_period_half_passed_is_skipped_where_a_late_run_says_nothing(control, application, minutes, expected):
    at(control, application, NOON + timedelta(minutes=minutes), SKIPPING)
    assert len(inserted(control)) == expected


def test_a_clock_that_is_behind_does_not_bring_a_period_again(control, application):
    for minutes in (0, 60, 0, 60):
        at(control, application, NOON + timedelta(minutes=minutes), HOURLY)
    assert len(inserted(control)) == 2


def test_jobs_of_a_schedule_are_pigis_own(control, application):
    at(control, application, NOON, HOURLY)
    with control.autocommit() as connection:
        row = connection.execute(select(JOB)).one()
    assert (row.organisation_id, row.requested_by, row.partition, row.state) == (
        None,
        "schedule",
        "pigi:upkeep",
        "queued",
    )


def test_a_tick_rings_for_what_it_inserted(control, with_redis):
    tick(control, with_redis.notifier, [HOURLY], NOON)
    with control.autocommit() as connection:
        assert with_redis.notifier.queued("upkeep") == {connection.execute(select(JOB.c.id)).scalar_one()}


def test_a_tick_while_redis_is_away_inserts_all_the_same(control, application):
    assert at(control, application, NOON, HOURLY, SKIPPING) == ["jobs.sweep", "mail.probe"]
