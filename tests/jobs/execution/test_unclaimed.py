"""Notifications for jobs that cannot be claimed, and what those are owed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.clock import now
from pigi.jobs import effects as ledger
from pigi.jobs.execution import claims
from pigi.jobs.execution.attempt import run
from pigi.jobs.queues import QUEUES
from pigi.operations.jobs import cancel_job
from tests.support.jobs import (
    ask,
    change,
    effects,
    finish,
    handle,
    raise_epoch,
    register_organisation,
    row_of,
    story,
    take,
)


def never(_context, _worker_context):
    raise AssertionError("the body ran")


@pytest.fixture
def organisation(control):
    return register_organisation(control)


def test_a_cancel_that_met_a_running_job_ends_it_when_its_worker_died(worker_context, control, trial):
    job = ask(control, trial)
    held = take(control, trial, job)
    ledger.begin(control, held, "least")
    cancel_job(worker_context.application, job, None)
    claims.hand_back(control, held)
    run(handle(trial, never), job, worker_context)
    assert (row_of(control, job).state, row_of(control, job).reason) == ("cancelled", "cancelled")
    assert effects(control, job)["least"].state == "unknown"


def test_ending_a_job_that_must_not_start_lets_the_next_in(worker_context, control, cleanup_trial, organisation):
    concurrency = QUEUES[cleanup_trial.queue].concurrency
    jobs = [ask(control, cleanup_trial, organisation) for _ in range(concurrency + 1)]
    raise_epoch(control, organisation)
    run(handle(cleanup_trial, never, lambda *_facts: None), jobs[0], worker_context)
    assert row_of(control, jobs[0]).reason == "fenced"
    assert row_of(control, jobs[concurrency]).published_at is not None


def test_a_fenced_job_is_cleaned_up_after_at_once(worker_context, control, cleanup_trial, organisation):
    cleaned = []
    job = ask(control, cleanup_trial, organisation, subject_id="subject")
    raise_epoch(control, organisation)
    run(handle(cleanup_trial, never, lambda _application, ended: cleaned.append(ended)), job, worker_context)
    assert [(one.organisation_id, one.subject_id, one.state) for one in cleaned] == [
        (organisation, "subject", "cancelled")
    ]
    assert row_of(control, job).cleanup_at is None


def ended(control, kind, organisation, cleanup_in):
    job = ask(control, kind, organisation, subject_id="subject")
    finish(control, take(control, kind, job), "failed", "malformed", None)
    change(control, job, cleanup_at=cleanup_in)
    return job


def test_a_cleanup_that_is_due_is_done_and_says_when_to_come_again(
    worker_context, control, cleanup_trial, organisation
):
    job = ended(control, cleanup_trial, organisation, timedelta(seconds=-1))
    later = now() + timedelta(days=1)
    run(handle(cleanup_trial, never, lambda *_facts: later), job, worker_context)
    assert row_of(control, job).cleanup_at == later
    assert story(control, job) == ["queued", "running", "failed"]


def test_a_cleanup_is_told_when_the_job_ended(worker_context, control, cleanup_trial, organisation):
    told = []
    job = ended(control, cleanup_trial, organisation, timedelta(seconds=-1))
    change(control, job, finished_at=timedelta(days=-3))
    run(handle(cleanup_trial, never, lambda _application, ended: told.append(ended)), job, worker_context)
    assert [(one.state, one.ended_at, one.attempt) for one in told] == [("failed", row_of(control, job).finished_at, 1)]


def test_a_cleanup_that_is_not_due_waits(worker_context, control, cleanup_trial, organisation):
    job = ended(control, cleanup_trial, organisation, timedelta(hours=1))
    before = row_of(control, job)
    run(handle(cleanup_trial, never, never), job, worker_context)
    assert row_of(control, job) == before


def test_a_job_that_waits_for_its_time_is_owed_nothing(worker_context, control, trial):
    job = ask(control, trial, due_in=60)
    before = row_of(control, job)
    run(handle(trial, never), job, worker_context)
    assert row_of(control, job) == before
