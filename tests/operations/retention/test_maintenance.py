"""Sweeps of the engine's own tables: by what is old, whatever ran before."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.exc import OperationalError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.ids import new_id
from pigi.jobs import effects as ledger
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.heartbeats import last_beats
from pigi.jobs.kinds import (
    BEGIN_ROUND,
    CATALOGUE,
    CHECKS,
    GENERATE_DRAFT,
    MIGRATE_ORGANISATION,
    PROBES,
    SWEEP_JOBS,
    WATCH_PROMISES,
)
from pigi.jobs.model import transitions as moves
from pigi.operations.jobs import read_job
from pigi.operations.retention import removal as upkeep
from pigi.store.control import Effect, Heartbeat, IdempotencyKey, Tombstone, UsageCount
from tests.support.jobs import ask, change, copies, finish, impatient, register_organisation, row_of, take

DAY = timedelta(days=1)


@pytest.fixture
def one(control):
    return register_organisation(control)


@pytest.fixture
def sweep(worker_context, control):
    """Do one sweep as a worker does; the sweep's own job."""

    def once():
        job = ask(control, SWEEP_JOBS)
        run(HANDLERS[SWEEP_JOBS.name], job, worker_context)
        assert row_of(control, job).state == "succeeded"
        return job

    import tasks.maintenance  # noqa: F401 - registers the sweep

    return once


def ended(control, kind, organisation, age, /, **columns):
    held = take(control, kind, ask(control, kind, organisation))
    if kind.effects:
        ledger.begin(control, held, next(iter(kind.effects)))
    finish(control, held, JobState.SUCCEEDED, None, None)
    change(control, held.job_id, finished_at=-age, **columns)
    return held.job_id


def count(control, table):
    with control.autocommit() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_ended_job_is_removed_after_thirty_days_and_not_before(control, one, sweep):
    old = ended(control, MIGRATE_ORGANISATION, one, 30 * DAY + timedelta(minutes=1))
    young = ended(control, MIGRATE_ORGANISATION, one, 30 * DAY - timedelta(minutes=1))
    sweep()
    assert row_of(control, old) is None
    assert row_of(control, young) is not None


def test_removing_a_job_takes_effects_and_timeline_and_leaves_a_tombstone(application, control, one, sweep):
    old = ended(control, MIGRATE_ORGANISATION, one, 31 * DAY)
    before = row_of(control, old)
    sweep()
    stone = read_job(application, old, one)
    assert (stone.kind, stone.state, stone.attempt, stone.buried) == (before.kind, "succeeded", 1, True)
    assert (stone.created_at, stone.finished_at) == (before.created_at, before.finished_at)
    assert (stone.subject_id, stone.timeline, stone.effects) == (None, (), ())
    assert count(control, Effect) == 0


def test_probes_go_after_an_hour_without_a_tombstone(control, sweep):
    old, young = (ended(control, PROBES["mail"], None, timedelta(minutes=age)) for age in (61, 59))
    sweep()
    assert (row_of(control, old), count(control, Tombstone)) == (None, 0)
    assert row_of(control, young) is not None


@pytest.mark.parametrize("state", ["queued", "running", "retrying"])
def test_a_job_that_has_not_ended_is_never_removed(control, one, sweep, state):
    job = ask(control, MIGRATE_ORGANISATION, one)
    change(control, job, state=state, created_at=-400 * DAY, due_at=DAY, finished_at=-400 * DAY)
    sweep()
    assert row_of(control, job).state == state


def test_a_job_whose_cleanup_is_pending_is_not_removed(control, one, sweep):
    debtor = ended(control, GENERATE_DRAFT, one, 31 * DAY, cleanup_at=-DAY)
    sweep()
    assert row_of(control, debtor) is not None
    change(control, debtor, cleanup_at=None)
    sweep()
    assert row_of(control, debtor) is None


def test_a_job_of_a_kind_that_is_gone_is_removed_too(control, one, sweep):
    job = ended(control, MIGRATE_ORGANISATION, one, 31 * DAY, kind="retired.kind")
    sweep()
    assert row_of(control, job) is None


def test_tombstones_go_after_ninety_days(control, one, sweep):
    with control.autocommit() as connection:
        for age in (89 * DAY, 91 * DAY):
            stone = {"id": new_id(), "kind": "x", "state": "failed", "attempt": 1, "created_at": now()}
            connection.execute(insert(Tombstone), {**stone, "buried_at": now() - age})
    sweep()
    assert count(control, Tombstone) == 1


def test_idempotency_keys_go_after_a_day(control, sweep):
    with control.autocommit() as connection:
        for hours in (23, 25):
            key = {"caller": "c", "key_hash": str(hours), "body_hash": "b", "token": new_id()}
            connection.execute(insert(IdempotencyKey), {**key, "created_at": now() - timedelta(hours=hours)})
    sweep()
    with control.autocommit() as connection:
        assert connection.execute(select(IdempotencyKey.key_hash)).scalars().all() == ["23"]


def test_counters_go_after_two_days(control, one, sweep):
    today = now().date()
    with control.autocommit() as connection:
        for days in (0, 2, 3):
            row = {"organisation_id": one, "day": today - timedelta(days=days), "kind": "x", "count": 1}
            connection.execute(insert(UsageCount), row)
    sweep()
    with control.autocommit() as connection:
        assert connection.execute(select(func.min(UsageCount.day))).scalar_one() == today - timedelta(days=2)


def test_a_sweep_takes_as_many_batches_as_it_needs(control, one, sweep, monkeypatch):
    monkeypatch.setattr(upkeep, "BATCH", 10)
    copies(control, ended(control, MIGRATE_ORGANISATION, one, 31 * DAY), 24)
    sweep()
    assert count(control, Tombstone) == 25


def test_a_job_that_is_retried_while_it_is_being_removed_is_not_lost(control, one, sweep, settings):
    job = ended(control, MIGRATE_ORGANISATION, one, 31 * DAY, state="failed")
    requeued = []

    def requeue_meanwhile(_connection, _cursor, statement, *_rest):
        if statement.startswith("DELETE FROM job") and not requeued:
            with suppress(OperationalError), other.autocommit() as connection:
                requeued.append(connection.execute(moves.REQUEUE, {"job_id": job}).rowcount)

    with impatient(settings.database_url) as other:
        event.listen(control.engine, "before_cursor_execute", requeue_meanwhile)
        sweep()
        event.remove(control.engine, "before_cursor_execute", requeue_meanwhile)
    assert (row_of(control, job) is not None) == bool(requeued)


def test_a_sweep_that_finds_nothing_changes_nothing(control, one, sweep):
    young = ended(control, MIGRATE_ORGANISATION, one, DAY)
    before = row_of(control, young)
    sweep()
    assert (row_of(control, young), count(control, Tombstone)) == (before, 0)


@pytest.mark.parametrize("queue", list(PROBES))
def test_a_probe_shows_that_its_queue_works(worker_context, control, queue):
    import tasks.maintenance  # noqa: F401 - registers probes

    with control.autocommit() as connection:
        connection.execute(insert(Heartbeat), {"name": f"queue {queue}", "at": now() - DAY})
    run(HANDLERS[f"{queue}.probe"], ask(control, PROBES[queue]), worker_context)
    with control.autocommit() as connection:
        assert now() - last_beats(connection)[f"queue {queue}"].at < timedelta(minutes=1)


def test_only_no_ops_may_go_earlier_than_the_rest():
    early = {kind.name for kind in CATALOGUE.values() if kind.row_kept < 30 * DAY or not kind.tombstone}
    assert early == {kind.name for kind in (*PROBES.values(), *CHECKS.values(), BEGIN_ROUND, WATCH_PROMISES)}
