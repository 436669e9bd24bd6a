"""Beat's scheduler: a round a second that outlives the database's absence."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from sqlalchemy import text

from pigi.jobs.heartbeats import last_notes
from pigi.jobs.kinds import SWEEP_JOBS
from pigi.jobs.queueing.celery_app import app as celery
from pigi.jobs.schedules import CatchUp, Schedule
from schedules.beat import TICK_SECONDS, Pump
from schedules.timetable import TIMETABLE


@pytest.fixture
def beat(application, monkeypatch):
    """The scheduler as beat makes it, on this test's application."""
    monkeypatch.setattr("schedules.beat.get_settings", lambda: application.settings)
    made = Pump(app=celery)
    yield made
    made.control.dispose()


def test_a_round_ticks_and_pumps(beat, control):
    assert 0 < beat.tick() <= TICK_SECONDS
    with control.autocommit() as connection:
        assert {"pump", "schedule retention.job"} <= last_notes(connection).keys()


def test_a_round_without_its_tables_is_logged_and_met_again(beat, control, caplog):
    with control.autocommit() as connection:
        connection.execute(text("ALTER TABLE heartbeat RENAME TO gone"))
    with caplog.at_level(logging.WARNING):
        assert beat.tick() <= TICK_SECONDS
    assert "database away" in caplog.text
    with control.autocommit() as connection:
        connection.execute(text("ALTER TABLE gone RENAME TO heartbeat"))
    beat.tick()
    with control.autocommit() as connection:
        assert "pump" in last_notes(connection)


def test_a_timetable_that_fails_stops_no_recovery(beat, control, monkeypatch):
    # A period of no length is a mistake that nothing refuses at declaration.
    broken = Schedule(SWEEP_JOBS, timedelta(0), CatchUp.LATEST, "test")
    monkeypatch.setattr("schedules.beat.TIMETABLE", (broken,))
    assert beat.tick() <= TICK_SECONDS
    with control.autocommit() as connection:
        assert last_notes(connection).keys() == {"pump"}


def test_beat_keeps_no_schedule_of_its_own(beat):
    assert beat.schedule == {}
    assert str(len(TIMETABLE)) in beat.info
