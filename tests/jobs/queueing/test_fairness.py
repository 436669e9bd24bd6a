"""Fairness: an organisation holds a window of each queue; the rest of its jobs wait in the table, in order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from pigi.domain.job_state import JobState
from pigi.jobs.execution import claims as settle
from pigi.jobs.kinds import MIGRATE_ORGANISATION
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.partitions import partition_of
from pigi.jobs.queues import POOLS, QUEUES
from pigi.jobs.recovery.release import release_waiting
from pigi.operations.jobs import cancel_job
from tests.support.jobs import ask, change, copies, finish, register_organisation, row_of, take
from tests.support.processes import HANDS, ask_often

KIND = MIGRATE_ORGANISATION
CONCURRENCY = QUEUES[KIND.queue].concurrency


@pytest.fixture
def one(control):
    return register_organisation(control)


def published(control, organisation):
    """How many places of its window the organisation holds."""
    held = JOB.c.partition == partition_of(organisation, KIND), JOB.c.published_at.is_not(None)
    with control.autocommit() as connection:
        return connection.execute(select(func.count()).where(*held)).scalar_one()


def rung_jobs(control, jobs):
    return [job for job in jobs if row_of(control, job).published_at is not None]


@pytest.mark.parametrize("queue", QUEUES.values(), ids=list(QUEUES))
def test_no_organisation_can_hold_all_hands_of_a_pool(queue):
    assert 0 < queue.concurrency < POOLS[queue.pool].children


def test_jobs_asked_for_in_a_row_never_pass_the_window(control, one):
    jobs = [ask(control, KIND, one) for _ in range(CONCURRENCY + 5)]
    assert rung_jobs(control, jobs) == jobs[:CONCURRENCY]


def test_jobs_asked_for_at_once_pass_the_window_by_no_more_than_the_askers(control, one, settings, crowd, engine_kind):
    jobs = [job for asked in crowd.do(ask_often, settings, KIND.name, one, 5) for job in asked]
    most = CONCURRENCY if engine_kind == "sqlite" else CONCURRENCY + HANDS - 1
    assert len(jobs) == 5 * HANDS
    assert CONCURRENCY <= published(control, one) <= most


def test_an_end_lets_in_the_next_of_its_lane_and_no_other(control, one):
    jobs = [ask(control, KIND, one) for _ in range(CONCURRENCY + 3)]
    other = [ask(control, KIND, register_organisation(control), due_in=60)]
    change(control, other[0], due_at=row_of(control, jobs[0]).due_at)
    notifications = finish(control, take(control, KIND, jobs[0]), JobState.SUCCEEDED, None, None)
    assert [notification.job_id for notification in notifications] == [jobs[CONCURRENCY]]
    assert rung_jobs(control, other) == []


def test_a_lane_is_left_in_the_order_in_which_it_was_entered(control, one):
    jobs = [ask(control, KIND, one) for _ in range(CONCURRENCY + 4)]
    entered = list(jobs[:CONCURRENCY])
    for position in range(4):
        held = take(control, KIND, entered[position])
        entered += [notification.job_id for notification in finish(control, held, JobState.SUCCEEDED, None, None)]
    assert entered == jobs


@pytest.mark.parametrize("leave", ["retry", "hand back", "cancel"])
def test_whatever_leaves_a_lane_lets_the_next_in(application, control, one, leave):
    jobs = [ask(control, KIND, one) for _ in range(CONCURRENCY + 1)]
    if leave == "cancel":
        cancel_job(application, jobs[0], one)
    elif leave == "retry":
        settle.retry(control, take(control, KIND, jobs[0]), "stalled", timedelta(minutes=1))
    else:
        change(control, jobs[0], due_at=timedelta(minutes=-1))
        settle.hand_back(control, take(control, KIND, jobs[0]))
    assert jobs[CONCURRENCY] in rung_jobs(control, jobs)
    assert published(control, one) == CONCURRENCY


def test_a_job_whose_time_has_not_come_takes_no_place(control, one):
    ask(control, KIND, one, due_in=3600)
    jobs = [ask(control, KIND, one) for _ in range(CONCURRENCY)]
    assert rung_jobs(control, jobs) == jobs


def test_another_organisations_job_is_rung_at_once_behind_two_thousand(with_redis, control, one):
    copies(control, ask(control, KIND, one), 2000, published_at=None)
    release_waiting(control)
    another = ask(control, KIND, register_organisation(control), notifier=with_redis.notifier)
    assert with_redis.notifier.queued(KIND.queue) == {another}
    assert published(control, one) == CONCURRENCY


def test_the_pump_opens_each_lane_to_its_window(control, one):
    two = register_organisation(control)
    copies(control, ask(control, KIND, one), 20, published_at=None)
    ask(control, KIND, two)
    release_waiting(control)
    with control.autocommit() as connection:
        waiting = connection.execute(select(func.count()).where(JOB.c.published_at.is_(None))).scalar_one()
    assert (published(control, one), published(control, two), waiting) == (CONCURRENCY, 1, 21 - CONCURRENCY)
