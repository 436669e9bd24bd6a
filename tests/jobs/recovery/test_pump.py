"""The pump: after anything was lost, one tick finds it again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.domain.job_state import JobState
from pigi.jobs.heartbeats import last_beats, last_notes
from pigi.jobs.kinds import GENERATE_DRAFT, MIGRATE_ORGANISATION, PROBES
from pigi.jobs.queueing.partitions import Notification
from pigi.jobs.queues import QUEUES
from pigi.jobs.recovery.pump import PumpResult, pump
from pigi.jobs.recovery.republish import BATCH, MISSED_SECONDS
from tests.support.jobs import ask, change, copies, finish, lapse, refuse, register_organisation, row_of, story, take
from tests.support.processes import HANDS, pump_once

PROBE = PROBES["mail"]
LONG_AGO = timedelta(seconds=-MISSED_SECONDS - 1)


def ended(control, kind, close_in):
    """An ended job of an organisation whose cleanup is due."""
    held = take(control, kind, ask(control, kind, register_organisation(control)))
    finish(control, held, JobState.SUCCEEDED, None, None)
    change(control, held.job_id, cleanup_at=close_in)
    return held.job_id


def test_a_service_that_fails_stops_no_other_and_is_named(with_redis, control):
    lapsed, due = ask(control, PROBE), ask(control, PROBE, due_in=60)
    take(control, PROBE, lapsed)
    lapse(control, lapsed)
    change(control, due, due_at=timedelta(seconds=-1))
    owing = ended(control, GENERATE_DRAFT, timedelta(seconds=-1))
    refuse(control, "UPDATE OF lost", "job", f"NEW.id = '{lapsed}'")
    assert pump(control, with_redis.notifier) == PumpResult(0, 1, 0, 1, failed=("rescue",))
    assert with_redis.notifier.queued("mail") == {due}
    assert with_redis.notifier.queued("ai") == {owing}
    with control.autocommit() as connection:
        assert last_notes(connection)["pump"] == "rescue"


def test_a_job_that_cannot_be_rescued_stops_none_behind_it(with_redis, control):
    first, second = (ask(control, PROBE) for _ in range(2))
    for job, ago in ((first, 9), (second, 1)):
        take(control, PROBE, job)
        change(control, job, lease_until=timedelta(seconds=-ago))
    refuse(control, "UPDATE OF lost", "job", f"NEW.id = '{first}'")
    assert pump(control, with_redis.notifier).failed == ("rescue",)
    assert [row_of(control, job).state for job in (first, second)] == ["running", "retrying"]


def test_a_tick_with_nothing_to_do_does_nothing_and_says_that_it_ran(with_redis, control):
    assert pump(control, with_redis.notifier) == PumpResult(0, 0, 0, 0)
    with control.autocommit() as connection:
        assert "pump" in last_beats(connection)


def test_a_due_job_whose_bell_never_rang_is_rung(with_redis, control):
    job = ask(control, PROBE, due_in=60)
    change(control, job, due_at=timedelta(seconds=-1))
    assert pump(control, with_redis.notifier).released == 1
    assert with_redis.notifier.queued("mail") == {job}
    assert row_of(control, job).published_at is not None


def test_a_job_whose_time_has_not_come_is_left_alone(with_redis, control):
    job = ask(control, PROBE, due_in=60)
    before = row_of(control, job)
    assert pump(control, with_redis.notifier) == PumpResult(0, 0, 0, 0)
    assert row_of(control, job) == before


def test_bells_that_a_flushed_redis_lost_are_rung_again(with_redis, redis_server, control):
    jobs = {ask(control, PROBE, notifier=with_redis.notifier) for _ in range(3)}
    redis_server.client.flushall()
    for job in jobs:
        change(control, job, published_at=LONG_AGO)
    assert pump(control, with_redis.notifier).republished == 3
    assert with_redis.notifier.queued("mail") == jobs


def test_a_bell_that_still_rings_is_not_rung_again(with_redis, control):
    job = ask(control, PROBE, notifier=with_redis.notifier)
    change(control, job, published_at=LONG_AGO)
    assert pump(control, with_redis.notifier).republished == 0


def test_a_bell_that_just_rang_is_given_a_moment(with_redis, redis_server, control):
    ask(control, PROBE, notifier=with_redis.notifier)
    redis_server.client.flushall()
    assert pump(control, with_redis.notifier).republished == 0


def test_a_job_that_runs_is_not_rung_for(with_redis, control):
    job = ask(control, PROBE)
    take(control, PROBE, job)
    change(control, job, published_at=LONG_AGO)
    assert pump(control, with_redis.notifier) == PumpResult(0, 0, 0, 0)


def test_while_redis_is_away_no_bell_counts_as_lost(application, control):
    job = ask(control, PROBE)
    change(control, job, published_at=LONG_AGO)
    before = row_of(control, job)
    assert pump(control, application.notifier).republished == 0
    assert row_of(control, job) == before


def test_a_queue_without_consumers_hides_no_lost_bell_of_another(with_redis, redis_server, control):
    stuck = ask(control, GENERATE_DRAFT, register_organisation(control))
    change(control, stuck, published_at=LONG_AGO - timedelta(minutes=1))
    jobs = [stuck, *copies(control, stuck, BATCH)]
    with_redis.notifier.notify([Notification("ai", GENERATE_DRAFT.name, job) for job in jobs])
    lost = ask(control, PROBE)
    change(control, lost, published_at=LONG_AGO)
    pump(control, with_redis.notifier)
    assert with_redis.notifier.queued("mail") == {lost}


def test_a_lapsed_lease_is_taken_back_and_rung_in_one_tick(with_redis, control):
    job = ask(control, PROBE)
    take(control, PROBE, job)
    lapse(control, job)
    assert pump(control, with_redis.notifier) == PumpResult(1, 1, 0, 0)
    assert story(control, job) == ["queued", "running", "retrying"]
    assert with_redis.notifier.queued("mail") == {job}


def test_a_lease_that_holds_is_left_alone(with_redis, control):
    take(control, PROBE, ask(control, PROBE))
    assert pump(control, with_redis.notifier).rescued == 0


def test_a_closing_that_is_due_is_rung_once_while_its_bell_waits(with_redis, control):
    job = ended(control, GENERATE_DRAFT, timedelta(seconds=-1))
    assert pump(control, with_redis.notifier).cleanups == 1
    assert pump(control, with_redis.notifier).cleanups == 0
    assert with_redis.notifier.queued("ai") == {job}


def test_a_closing_of_a_later_day_waits(with_redis, control):
    ended(control, GENERATE_DRAFT, timedelta(hours=1))
    assert pump(control, with_redis.notifier).cleanups == 0


def test_a_queue_of_another_release_does_not_stop_the_pump(with_redis, control):
    job, strange = (ask(control, PROBE, due_in=60) for _ in range(2))
    change(control, strange, queue="newer", partition="pigi:newer", due_at=timedelta(seconds=-1))
    change(control, job, due_at=timedelta(seconds=-1))
    pump(control, with_redis.notifier)
    assert with_redis.notifier.queued("mail") == {job}
    assert row_of(control, strange).state == "queued"


@pytest.mark.timeout(120)
def test_pumps_at_once_take_back_and_let_in_each_job_once(control, settings, crowd):
    concurrency = QUEUES[MIGRATE_ORGANISATION.queue].concurrency
    for _ in range(10):
        organisation = register_organisation(control)
        for _ in range(concurrency):
            job = ask(control, MIGRATE_ORGANISATION, organisation)
            take(control, MIGRATE_ORGANISATION, job)
            lapse(control, job)
    found = crowd.do(pump_once, settings)
    assert len(found) == HANDS
    assert sum(rescued for rescued, _ in found) == 10 * concurrency
    assert sum(release for _, release in found) == 10 * concurrency
