"""Cleanups of ended jobs: within the limits of their partitions, one worker at a time, later after each failure."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.jobs.execution import cleanup
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.cleanup import LONGEST_WAIT
from pigi.jobs.execution.timeouts import LEASE_SECONDS
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.queues import QUEUES
from pigi.jobs.recovery.cleanup import BATCH
from pigi.jobs.recovery.pump import pump
from tests.support.jobs import ask, change, copies, does_nothing, finish, handle, register_organisation, row_of, take

PAST = timedelta(seconds=-1)


@pytest.fixture
def places(cleanup_trial):
    """How many jobs and cleanups of a partition may be under way."""
    return QUEUES[cleanup_trial.queue].concurrency


@pytest.fixture
def one(control):
    return register_organisation(control)


def ended(control, kind, organisation):
    """An ended job whose cleanup is due."""
    held = take(control, kind, ask(control, kind, organisation, subject_id="subject"))
    finish(control, held, JobState.SUCCEEDED, None, None)
    change(control, held.job_id, cleanup_at=PAST)
    return held.job_id


def notified(application, kind):
    return application.notifier.queued(kind.queue)


def answer(application, redis_server, worker_context, kind, job, clean_up):
    """What a child does: take the notification from Redis and act on it."""
    redis_server.client.flushall()
    run(handle(kind, does_nothing, clean_up), job, worker_context)


def test_an_organisations_cleanups_take_no_more_places_than_its_jobs_may(
    with_redis, control, cleanup_trial, one, places
):
    many = [job := ended(control, cleanup_trial, one), *copies(control, job, 50)]
    other = ended(control, cleanup_trial, register_organisation(control))
    for _ in range(3):
        pump(control, with_redis.notifier)
    found = notified(with_redis, cleanup_trial)
    assert len(found & set(many)) == places
    assert found - set(many) == {other}


def test_jobs_and_cleanups_share_the_places_of_a_partition(with_redis, control, cleanup_trial, one, places):
    owing = [ended(control, cleanup_trial, one) for _ in range(places)]
    running = [ask(control, cleanup_trial, one) for _ in range(places - 1)]
    pump(control, with_redis.notifier)
    assert len(notified(with_redis, cleanup_trial) & set(owing)) == 1
    waiting = ask(control, cleanup_trial, one)
    assert row_of(control, waiting).published_at is None
    assert all(row_of(control, job).published_at for job in running)


def test_a_cleanup_under_way_is_not_begun_by_another_child(
    with_redis, redis_server, control, cleanup_trial, one, worker_context
):
    job, found = ended(control, cleanup_trial, one), []

    def look_meanwhile(*_facts):
        found.append((pump(control, with_redis.notifier).cleanups, notified(with_redis, cleanup_trial)))
        run(handle(cleanup_trial, does_nothing, look_meanwhile), job, worker_context)

    answer(with_redis, redis_server, worker_context, cleanup_trial, job, look_meanwhile)
    assert found == [(0, set())]
    assert (row_of(control, job).cleanup_at, row_of(control, job).published_at) == (None, None)


def test_a_cleanup_that_fails_waits_longer_each_time_up_to_a_bound(
    with_redis, redis_server, control, cleanup_trial, one, worker_context
):
    job, waits = ended(control, cleanup_trial, one), []

    def fail(*_facts):
        raise OSError

    for _ in range(14):
        change(control, job, cleanup_at=PAST)
        began = now()
        answer(with_redis, redis_server, worker_context, cleanup_trial, job, fail)
        assert pump(control, with_redis.notifier).cleanups == 0
        waits.append(row_of(control, job).cleanup_at - began)
    assert waits[0] < waits[3] < waits[6] < waits[-1] <= LONGEST_WAIT + (now() - began)
    change(control, job, cleanup_at=PAST)
    answer(with_redis, redis_server, worker_context, cleanup_trial, job, lambda *_facts: None)
    assert (row_of(control, job).cleanup_at, row_of(control, job).cleanup_failures) == (None, 0)


def test_cleanups_that_fail_alike_are_logged_once_a_minute(
    with_redis, redis_server, control, cleanup_trial, one, worker_context, caplog, engine_kind
):
    missing = type(f"KeyMissing{engine_kind}", (Exception,), {})

    def fail(*_facts):
        raise missing

    many = [job := ended(control, cleanup_trial, one), *copies(control, job, 20)]
    with caplog.at_level(logging.WARNING):
        for job in many:
            answer(with_redis, redis_server, worker_context, cleanup_trial, job, fail)
    assert sum(missing.__name__ in record.getMessage() for record in caplog.records) == 1


def test_a_partition_whose_jobs_never_end_still_cleans_up(with_redis, control, cleanup_trial, one, places):
    owing = ended(control, cleanup_trial, one)
    running = [take(control, cleanup_trial, ask(control, cleanup_trial, one)) for _ in range(places)]
    waiting = ask(control, cleanup_trial, one)
    assert pump(control, with_redis.notifier).cleanups == 0
    assert finish(control, running[0], JobState.SUCCEEDED, None, None) == []
    assert pump(control, with_redis.notifier).cleanups == 1
    assert notified(with_redis, cleanup_trial) == {owing}
    assert row_of(control, waiting).published_at is None


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_cleanup_that_is_over_lets_in_the_next_of_its_partition(
    with_redis, redis_server, control, cleanup_trial, one, worker_context, places, succeeds
):
    owing = ended(control, cleanup_trial, one)
    pump(control, with_redis.notifier)
    for _ in range(places - 1):
        ask(control, cleanup_trial, one)
    waiting = ask(control, cleanup_trial, one)
    assert row_of(control, waiting).published_at is None
    answer(with_redis, redis_server, worker_context, cleanup_trial, owing, lambda *_facts: None if succeeds else 1 / 0)
    assert row_of(control, waiting).published_at is not None


def test_a_cleanup_whose_worker_died_comes_due_again(
    with_redis, redis_server, control, cleanup_trial, one, worker_context
):
    job = ended(control, cleanup_trial, one)

    def die(*_facts):
        raise SystemExit

    with pytest.raises(SystemExit):
        answer(with_redis, redis_server, worker_context, cleanup_trial, job, die)
    assert pump(control, with_redis.notifier).cleanups == 1
    # Killed, it could not even say so: its hold lapses instead.
    change(control, job, published_at=timedelta(minutes=-10), cleanup_at=PAST)
    redis_server.client.flushall()
    assert pump(control, with_redis.notifier).cleanups == 1


def test_the_hold_of_a_cleanup_is_short_and_moves_on_while_it_runs(
    with_redis, redis_server, control, cleanup_trial, one, worker_context, monkeypatch
):
    job, found = ended(control, cleanup_trial, one), []
    monkeypatch.setattr(cleanup, "HEARTBEAT_SECONDS", 0.01)

    def wait_for_extensions(*_facts):
        while len(found) < 3:
            until = row_of(control, job).cleanup_at
            assert until <= now() + timedelta(seconds=LEASE_SECONDS)
            if until not in found:
                found.append(until)

    answer(with_redis, redis_server, worker_context, cleanup_trial, job, wait_for_extensions)
    assert found == sorted(found)
    assert (row_of(control, job).cleanup_at, row_of(control, job).published_at) == (None, None)


def test_a_cleanup_that_lost_its_hold_leaves_alone_what_came_of_the_next(
    with_redis, redis_server, control, cleanup_trial, one, worker_context, monkeypatch
):
    monkeypatch.setattr(cleanup, "HEARTBEAT_SECONDS", 3600.0)
    job, later = ended(control, cleanup_trial, one), now() + timedelta(days=1)

    def be_overtaken(*_facts):
        change(control, job, cleanup_at=PAST)
        run(handle(cleanup_trial, does_nothing, lambda *_facts: later), job, worker_context)

    answer(with_redis, redis_server, worker_context, cleanup_trial, job, be_overtaken)
    assert row_of(control, job).cleanup_at == later


def test_a_hold_is_let_go_of_though_the_database_is_away_for_a_moment(
    with_redis, redis_server, control, cleanup_trial, one, worker_context, monkeypatch
):
    job, blips = ended(control, cleanup_trial, one), [OperationalError("x", {}, Exception("gone"))]

    def blip(*details):
        if blips and "cleanup_failures=" in details[2]:
            raise blips.pop()

    event.listen(control.engine, "before_cursor_execute", blip)
    answer(with_redis, redis_server, worker_context, cleanup_trial, job, lambda *_facts: None)
    event.remove(control.engine, "before_cursor_execute", blip)
    assert blips == []
    assert (row_of(control, job).cleanup_at, row_of(control, job).published_at) == (None, None)


def test_a_queue_whose_consumer_is_away_hides_no_other_queues_cleanups(
    with_redis, control, cleanup_trial, one, monkeypatch
):
    other_kind = replace(cleanup_trial, name="tests.other", queue="export")
    monkeypatch.setitem(CATALOGUE, other_kind.name, other_kind)
    first = ended(control, cleanup_trial, one)
    for organisation in range(BATCH):
        copies(control, first, 1, partition=f"{organisation}:{cleanup_trial.queue}")
    pump(control, with_redis.notifier)
    other = ended(control, other_kind, one)
    pump(control, with_redis.notifier)
    assert notified(with_redis, other_kind) == {other}


def test_while_redis_is_away_no_cleanup_takes_a_place(application, control, cleanup_trial, one):
    job = ended(control, cleanup_trial, one)
    assert pump(control, application.notifier).cleanups == 0
    assert row_of(control, job).published_at is None
