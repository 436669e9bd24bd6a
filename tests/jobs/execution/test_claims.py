"""Claiming: whoever's UPDATE hits has the job, and nobody else."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from pigi.jobs.execution.claims import claim, extend, retry, why_unclaimed
from pigi.jobs.kinds import MIGRATE_ORGANISATION, PROBES
from tests.support.jobs import ask, change, lapse, raise_epoch, register_organisation, row_of, story, take, view
from tests.support.processes import claim_all

PROBE = PROBES["mail"]


@pytest.mark.timeout(120)
def test_each_of_many_jobs_is_claimed_by_exactly_one_of_many_processes(control, settings, crowd):
    jobs = [ask(control, PROBE) for _ in range(50)]
    claimed = Counter(job_id for got in crowd.do(claim_all, settings, PROBE.name, jobs) for job_id in got)
    assert claimed == dict.fromkeys(jobs, 1)
    assert {view(control, job_id).attempt for job_id in jobs} == {1}


def test_a_claim_counts_the_attempt_and_gives_a_lease(control):
    job = ask(control, PROBE)
    held = take(control, PROBE, job)
    row = row_of(control, job)
    assert (held.attempt, held.failures, row.state) == (1, 0, "running")
    assert row.lease_token == held.token
    assert row.lease_until > row.started_at
    assert story(control, job) == ["queued", "running"]


def test_a_lost_answer_is_found_again_by_the_token(control):
    job = ask(control, PROBE)
    first = claim(control, PROBE, job, token="one")
    assert claim(control, PROBE, job, token="one") == first
    assert view(control, job).attempt == 1


def test_another_token_does_not_get_a_running_job(control):
    job = ask(control, PROBE)
    take(control, PROBE, job)
    assert claim(control, PROBE, job, token="another") is None


def test_a_token_of_an_earlier_attempt_finds_nothing(control):
    job = ask(control, PROBE)
    first = take(control, PROBE, job)
    retry(control, first, "stalled", timedelta(0))
    take(control, PROBE, job)
    assert claim(control, PROBE, job, token=first.token) is None


@pytest.mark.parametrize(
    "column",
    [{"due_at": timedelta(minutes=1)}, {"cancel_requested_at": timedelta(0)}],
    ids=["not due", "to be cancelled"],
)
def test_what_must_not_start_is_not_claimed(control, column):
    job = ask(control, PROBE)
    change(control, job, **column)
    assert claim(control, PROBE, job) is None
    assert story(control, job) == ["queued"]


def test_a_fenced_job_is_not_claimed(control):
    organisation = register_organisation(control)
    job = ask(control, MIGRATE_ORGANISATION, organisation)
    raise_epoch(control, organisation)
    assert claim(control, MIGRATE_ORGANISATION, job) is None


def test_a_job_that_does_not_exist_is_not_claimed(control):
    assert claim(control, PROBE, "no-such-job") is None
    with control.autocommit() as connection:
        assert why_unclaimed(connection, "no-such-job") is None


def test_the_deadline_counts_from_the_first_start_and_stays(control):
    job = ask(control, PROBE)
    first = take(control, PROBE, job)
    retry(control, first, "stalled", timedelta(0))
    second = take(control, PROBE, job)
    assert second.deadline_at == first.deadline_at == row_of(control, job).deadline_at
    assert abs(first.deadline_at - row_of(control, job).started_at - PROBE.retry_window) < timedelta(seconds=1)


def test_a_heartbeat_extends_the_lease_and_tells_of_a_cancel(control):
    held = take(control, PROBE, ask(control, PROBE))
    lapse(control, held.job_id)
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    assert extend(control, held) == (True, True)
    assert row_of(control, held.job_id).lease_until > row_of(control, held.job_id).cancel_requested_at


def test_a_claim_takes_a_place_in_the_partition_even_without_a_notification(control):
    job = ask(control, PROBE, due_in=60)
    change(control, job, due_at=timedelta(0))
    take(control, PROBE, job)
    assert row_of(control, job).published_at is not None
