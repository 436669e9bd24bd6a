"""Whatever has a period has something that ends it."""

from __future__ import annotations

from datetime import timedelta

from pigi.domain.retention import ENDED_OTHERWISE, NEVER_HELD, PERIODS, SWEPT, Retention
from pigi.jobs.kinds import SWEEPS as KINDS
from pigi.operations.retention.ownership import BELONGS
from pigi.operations.retention.sweeps import SWEEP_INTERVAL, SWEEPS
from schedules.timetable import TIMETABLE
from tests.architecture.test_retention_classes import COLUMNS, OBJECTS, classes

FIXED = {retention for retention, period in PERIODS.items() if period.keep is not None}
ROWS = [sweep.retention for sweep in SWEEPS]


def test_every_class_with_a_period_is_swept_or_says_what_else_ends_it():
    assert sorted([*SWEPT, *ENDED_OTHERWISE]) == sorted(FIXED)
    assert sorted(set(ROWS)) == sorted(set(SWEPT) - OBJECTS)


def test_every_table_of_a_class_is_swept():
    swept = {sweep.table.name for sweep in SWEEPS}
    tables = {
        name.split(".")[0]
        for name, column in COLUMNS.items()
        if column.primary_key and set(classes(column)) & set(ROWS)
    }
    # What goes with its job, its entry or its beginning.
    assert tables - swept == {"effect", "audit_content", "audit_anchor", "deletion_step"}


def test_a_sweep_looks_at_the_class_that_its_table_is_of():
    for sweep in SWEEPS:
        assert {retention for column in sweep.table.primary_key for retention in classes(column)} == {sweep.retention}


def test_each_class_has_a_schedule_of_its_own_that_comes_round_as_often_as_the_report_takes_it_to():
    schedules = [schedule for schedule in TIMETABLE if schedule.kind in KINDS.values()]
    assert sorted(schedule.kind.name for schedule in schedules) == sorted(f"retention.{one}" for one in SWEPT)
    assert {schedule.every for schedule in schedules} == {SWEEP_INTERVAL}
    assert len({schedule.offset for schedule in schedules}) == len(schedules)
    assert min(PERIODS[retention].keep for retention in SWEPT) >= SWEEP_INTERVAL > timedelta(0)


def test_what_is_otherwise_ended_says_how():
    assert set(ENDED_OTHERWISE) == {Retention.PURPOSE, Retention.DRAFT, Retention.EXPORT, Retention.IMPORT}
    assert all(len(words) > 20 for words in ENDED_OTHERWISE.values())


def test_of_every_class_it_is_known_which_rows_a_hold_keeps_or_why_it_cannot():
    by_cleanup = {Retention.DRAFT, Retention.IMPORT}
    by_deletion = {Retention.ORGANISATION, Retention.CONFIGURATION, Retention.MEMBERSHIP}
    parts = [set(BELONGS), set(NEVER_HELD), by_cleanup, by_deletion]
    assert sorted(one for part in parts for one in part) == sorted(Retention)
