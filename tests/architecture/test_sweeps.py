"""Whatever has a period has something that ends it."""

from __future__ import annotations

from datetime import timedelta

from pigi.domain.retention import PERIODS, Retention
from pigi.jobs.kinds import SWEEP_JOBS
from pigi.operations.retention.sweeps import HANDLED_ELSEWHERE, SWEEP_INTERVAL, SWEEPS
from schedules.timetable import TIMETABLE
from tests.architecture.test_retention_classes import COLUMNS, classes

FIXED = {retention for retention, period in PERIODS.items() if period.keep is not None}
SWEPT = [sweep.retention for sweep in SWEEPS]


def test_every_class_with_a_period_is_swept_or_says_what_else_ends_it():
    assert sorted([*SWEPT, *HANDLED_ELSEWHERE]) == sorted(FIXED)


def test_every_table_of_a_class_is_swept():
    swept = {sweep.table.name for sweep in SWEEPS}
    tables = {
        name.split(".")[0]
        for name, column in COLUMNS.items()
        if column.primary_key and set(classes(column)) & set(SWEPT)
    }
    # What goes with its job, its entry or its beginning.
    assert tables - swept == {"effect", "audit_content", "audit_anchor"}


def test_a_sweep_looks_at_the_class_that_its_table_is_of():
    for sweep in SWEEPS:
        assert {retention for column in sweep.table.primary_key for retention in classes(column)} == {sweep.retention}


def test_sweeps_come_round_as_often_as_the_report_takes_them_to():
    (schedule,) = (schedule for schedule in TIMETABLE if schedule.name == SWEEP_JOBS.name)
    assert schedule.every == SWEEP_INTERVAL
    assert min(PERIODS[retention].keep for retention in SWEPT) >= SWEEP_INTERVAL > timedelta(0)


def test_what_is_otherwise_ended_says_how():
    assert set(HANDLED_ELSEWHERE) == {Retention.PURPOSE, Retention.DRAFT}
    assert all(len(words) > 20 for words in HANDLED_ELSEWHERE.values())
