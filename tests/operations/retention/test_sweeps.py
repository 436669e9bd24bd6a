"""Every class of records goes when its period is over, not before, and the report says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.domain.retention import GRACE, Retention, cutoff
from pigi.errors import Permanent
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import ANCHOR_AUDIT, FOLD_USAGE, GENERATE_DRAFT, SWEEP_JOBS
from pigi.operations.audit import CLI, record, verify
from pigi.operations.audit.chain import ENTRY
from pigi.operations.retention import removal, report_classes, sweep_jobs
from pigi.operations.retention.removal import Removal
from pigi.operations.retention.sweeps import SWEEP_INTERVAL, SWEEPS, RemovalMode, TimeFormat
from pigi.store.control import Organisation
from pigi.store.people import ApiKey
from tests.support.audits import Unhurried
from tests.support.jobs import ask, change, refuse, register_organisation, row_of
from tests.support.retention import count, make_row_of_account, plant

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
REMOVED = [sweep for sweep in SWEEPS if sweep.mode is RemovalMode.REMOVED]


def named(sweep):
    return sweep.retention.value


def line(application, retention):
    return next(found for found in report_classes(application) if found.retention == retention)


@pytest.mark.parametrize("sweep", REMOVED, ids=named)
def test_what_is_past_its_period_goes_and_the_rest_stays(application, control, sweep):
    limit = cutoff(sweep.retention, now())
    grain = DAY if sweep.time_format is TimeFormat.DAY else MINUTE
    plant(control, sweep, limit - grain)
    plant(control, sweep, limit + grain)
    found = line(application, sweep.retention)
    assert found.rows == 2
    sweep_jobs(Unhurried(), application)
    assert count(control, sweep.table) == 1
    found = line(application, sweep.retention)
    assert (found.rows, found.overdue) == (1, False)
    assert found.oldest >= limit


@pytest.mark.parametrize("sweep", REMOVED, ids=named)
def test_the_report_says_what_is_overdue(application, control, sweep):
    grain = DAY if sweep.time_format is TimeFormat.DAY else MINUTE
    plant(control, sweep, cutoff(sweep.retention, now() - SWEEP_INTERVAL) - grain)
    assert [found.retention for found in report_classes(application) if found.overdue] == [sweep.retention]


def test_a_key_is_kept_from_whichever_end_came_first(application, control):
    sweep = next(sweep for sweep in SWEEPS if sweep.retention is Retention.ACCESS_KEY)
    plant(control, sweep, now() + DAY)
    with control.transaction() as connection:
        connection.execute(update(ApiKey).values(revoked_at=now() - 91 * DAY))
    assert Removal(control, sweep, now()).batch() == 1


def test_batches_go_until_nothing_is_left(application, control, monkeypatch):
    monkeypatch.setattr(removal, "BATCH", 3)
    sweep = next(sweep for sweep in SWEEPS if sweep.retention is Retention.COUNTER)
    for _ in range(7):
        plant(control, sweep, now() - 30 * DAY)
    assert [Removal(control, sweep, now()).batch() for _ in range(4)] == [3, 3, 1, 0]


def test_the_audit_chain_is_pruned_behind_a_beginning(application, control, monkeypatch):
    monkeypatch.setattr("pigi.operations.audit.chain.now", lambda: now() - 731 * DAY)
    act(application, 3)
    monkeypatch.undo()
    act(application, 2)
    assert line(application, Retention.AUDIT).overdue
    sweep_jobs(Unhurried(), application)
    assert count(control, ENTRY) == 2
    assert verify(application).ok
    assert not line(application, Retention.AUDIT).overdue


def act(application, times):
    for _ in range(times):
        with application.control.begin() as session:
            record(session, application, "operator.job_retried", CLI, job=new_id())


def test_a_broken_chain_stops_nothing_but_its_own_pruning(application, control):
    act(application, 3)
    with control.transaction() as connection:
        connection.execute(update(ENTRY).values(at=now() - 731 * DAY))
    sweep = next(sweep for sweep in SWEEPS if sweep.retention is Retention.MAIL)
    plant(control, sweep, now() - 31 * DAY)
    with pytest.raises(Permanent, match="audit_broken"):
        sweep_jobs(Unhurried(), application)
    assert (count(control, sweep.table), count(control, ENTRY)) == (0, 3)


def test_a_class_that_cannot_be_swept_keeps_no_other_waiting_and_fails_the_job(application, control):
    first, last = (next(one for one in SWEEPS if one.table.name == name) for name in ("session", "request_log"))
    for sweep in (first, last):
        plant(control, sweep, cutoff(sweep.retention, now()) - DAY)
    refuse(control, "DELETE", "session", "OLD.account_id IS NOT NULL")
    with pytest.raises(SQLAlchemyError):
        sweep_jobs(Unhurried(), application)
    assert (count(control, first.table), count(control, last.table)) == (1, 0)


def ended(control, ended_ago, closes_in):
    job = ask(control, GENERATE_DRAFT, register_organisation(control), subject_id=new_id())
    change(control, job, state="failed", finished_at=-ended_ago, cleanup_at=closes_in, published_at=None)
    return job


def test_a_purpose_whose_erasure_failed_and_waits_for_its_next_try_is_shown(application, control):
    change(control, ended(control, 3 * timedelta(hours=1), 5 * MINUTE), cleanup_failures=9)
    assert (line(application, Retention.PURPOSE).rows, line(application, Retention.PURPOSE).overdue) == (1, True)


def test_a_purpose_whose_erasure_is_under_way_is_shown(application, control):
    change(control, ended(control, 3 * timedelta(hours=1), timedelta(seconds=20)), published_at=-MINUTE)
    assert (line(application, Retention.PURPOSE).rows, line(application, Retention.PURPOSE).overdue) == (1, True)


@pytest.mark.parametrize(
    ("ended_ago", "closes_in", "purpose", "draft"),
    [
        (12 * timedelta(hours=1), 12 * timedelta(hours=1), (0, False), (1, False)),
        (DAY + MINUTE, -MINUTE, (0, False), (1, False)),
        (MINUTE, -MINUTE, (1, False), (1, False)),
        (3 * timedelta(hours=1), -MINUTE, (1, True), (1, False)),
        (2 * DAY, -MINUTE, (1, True), (1, True)),
    ],
    ids=["draft held", "draft due", "purpose due", "purpose overdue", "all overdue"],
)
def test_what_a_job_still_owes_is_shown(application, control, ended_ago, closes_in, purpose, draft):
    ended(control, ended_ago, closes_in)
    for retention, expected in ((Retention.PURPOSE, purpose), (Retention.DRAFT, draft)):
        found = line(application, retention)
        assert (found.rows, found.overdue) == expected


def test_classes_without_a_period_are_counted(application, control):
    make_row_of_account(control)
    register_organisation(control)
    assert line(application, Retention.ACCOUNT).rows == 1
    assert line(application, Retention.ORGANISATION).rows == count(control, Organisation)
    assert line(application, Retention.CONFIGURATION).rows is None


@pytest.mark.parametrize(("ago", "overdue"), [(GRACE + MINUTE, False), (GRACE + timedelta(hours=3), True)], ids=str)
def test_an_organisation_that_should_be_gone_is_overdue(application, control, ago, overdue):
    asked, organisation = now() - ago, register_organisation(control)
    with control.autocommit() as connection:
        going = {"state": "purging", "deletion_at": asked}
        connection.execute(update(Organisation).where(Organisation.id == organisation).values(going))
    found = line(application, Retention.ORGANISATION)
    assert (found.oldest, found.overdue) == (asked, overdue)


def test_an_ended_job_that_owes_nothing_counts_from_its_end(application, control):
    job = ask(control, SWEEP_JOBS)
    assert line(application, Retention.JOB).rows == 0
    change(control, job, state="succeeded", finished_at=-32 * DAY)
    assert line(application, Retention.JOB).overdue
    sweep_jobs(Unhurried(), application)
    assert (line(application, Retention.JOB).rows, line(application, Retention.TOMBSTONE).rows) == (0, 1)


def test_the_daily_jobs_do_their_work_as_jobs(worker_context, control):
    import tasks.maintenance  # noqa: F401 - registers them

    act(worker_context.application, 1)
    for kind in (ANCHOR_AUDIT, FOLD_USAGE):
        job = ask(control, kind)
        run(HANDLERS[kind.name], job, worker_context)
        assert row_of(control, job).state == "succeeded"
    assert verify(worker_context.application).anchors == 1


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_row_that_somebody_holds_waits_for_the_next_sweep(application, control):
    sweep = next(sweep for sweep in SWEEPS if sweep.retention is Retention.SESSION)
    plant(control, sweep, now() - DAY)
    with control.transaction() as holder:
        holder.execute(select(sweep.table).with_for_update())
        assert Removal(control, sweep, now()).batch() == 0
    assert Removal(control, sweep, now()).batch() == 1
