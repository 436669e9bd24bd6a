"""Each class goes when its period is over, to the second, whatever the clock was when it was last swept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from pigi.domain.retention import SWEPT, Retention, end, keep
from pigi.ids import new_id
from pigi.operations.audit import CLI, record
from pigi.operations.retention import run_sweep
from pigi.operations.retention.removal import Removal, batches
from pigi.operations.retention.sweeps import SWEEPS
from pigi.store.erasures import ErasureLog
from pigi.store.objects import Objects
from tests.support.jobs import MARKER, refuse
from tests.support.retention import count, plant

SECOND = timedelta(seconds=1)
BEGAN = datetime(2016, 1, 1, tzinfo=UTC)
"""Long ago: the database lets no line of the billing log go before seven years have passed by its own clock."""
OF = {sweep.retention: sweep for sweep in SWEEPS}


def make(application, retention, monkeypatch):
    """Something of a class whose period began then; a function that says how much of it there is."""
    if retention is Retention.ERASURE:
        log = ErasureLog.from_settings(application.settings)
        log.add("organisation", new_id(), BEGAN - SECOND)
        return lambda: len(log.digests())
    if retention is Retention.AUDIT:
        monkeypatch.setattr("pigi.operations.audit.chain.now", lambda: BEGAN)
        with application.control.begin() as session:
            record(session, application, "operator.job_retried", CLI, job=new_id())
        monkeypatch.undo()
    elif retention is Retention.BACKUP:
        store = Objects(application.settings.backups_url)
        store.put("backups/one", b"sealed")
        plant(application.control, OF[retention], BEGAN, name="backups/one")
        return lambda: count(application.control, OF[retention].table) + len(list(store.find("backups")))
    else:
        values = {"kind": "mail.send", "state": "succeeded"} if retention is Retention.JOB else {}
        plant(application.control, OF[retention], BEGAN, **values)
    return lambda: count(application.control, OF[retention].table)


@pytest.mark.parametrize("retention", SWEPT, ids=str)
def test_a_class_goes_at_the_second_in_which_its_period_is_over(application, retention, monkeypatch):
    left = make(application, retention, monkeypatch)
    over, there = end(retention, BEGAN), left()
    for early in (BEGAN, over - SECOND):
        assert sum(batches(application, retention, early)) == 0
    assert left() == there > 0
    assert sum(batches(application, retention, over + SECOND)) > 0
    assert left() == 0


@pytest.mark.parametrize("retention", [Retention.BILLING_LOG, Retention.COUNTER], ids=str)
def test_what_counts_from_the_end_of_a_day_goes_with_the_first_second_of_the_next(application, control, retention):
    plant(control, OF[retention], BEGAN)
    over = end(retention, BEGAN)
    assert sum(batches(application, retention, over - SECOND)) == 0
    assert sum(batches(application, retention, over)) == 1


def test_a_clock_that_goes_back_removes_nothing_that_is_not_due_by_it(application, control, monkeypatch):
    sweep = OF[Retention.MAIL]
    real = datetime.now(UTC)
    plant(control, sweep, real - keep(Retention.MAIL) + timedelta(minutes=30))
    for hours, gone in ((-1, False), (0, False), (1, True), (-1, True)):
        monkeypatch.setattr("pigi.operations.retention.running.now", lambda ahead=hours: real + timedelta(hours=ahead))
        run_sweep(application, Retention.MAIL)
        assert (count(control, sweep.table) == 0) == gone


def test_a_row_that_the_database_will_not_remove_keeps_no_other(application, control):
    sweep = OF[Retention.MAIL]
    for number in range(120):
        plant(control, sweep, BEGAN, template="stuck" if number in {3, 77} else "free")
    refuse(control, "DELETE", "mail", "OLD.template = 'stuck'")
    removal = Removal(control, sweep, datetime.now(UTC))
    with pytest.raises(SQLAlchemyError, match="refused"):
        list(removal.batches())
    assert count(control, sweep.table) == count(control, sweep.table, sweep.table.c.template == "stuck") == 2


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)  # where the files can be read
def test_after_a_sweep_its_bytes_are_in_no_file(application, control, settings):
    plant(control, OF[Retention.REGISTRATION], BEGAN, email=MARKER)
    assert traces(settings) > 0
    run_sweep(application, Retention.REGISTRATION)
    assert traces(settings) == 0


def traces(settings):
    """How many files of the installation hold the marker."""
    return sum(MARKER.encode() in path.read_bytes() for path in Path(settings.home).rglob("*") if path.is_file())
