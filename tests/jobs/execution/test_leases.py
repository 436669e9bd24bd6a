"""Leases: a worker whose lease was taken over (a zombie) can change nothing more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.domain.job_state import JobState
from pigi.jobs import effects as ledger
from pigi.jobs.execution import claims
from pigi.jobs.execution.context import JobContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.kinds import MOST_LOSSES
from pigi.jobs.model.claim import Cancelled, LeaseLost
from pigi.jobs.recovery.rescue import rescue
from tests.support.jobs import ask, change, effects, finish, lapse, row_of, story, take, view


@pytest.fixture
def zombie(control, trial):
    """The claim of a worker that fell silent; another has its job by now."""
    held = take(control, trial, ask(control, trial))
    ledger.begin(control, held, "least")
    lapse(control, held.job_id)
    assert rescue(control) == 1
    take(control, trial, held.job_id)
    return held


@pytest.fixture
def heartbeat(control, application):
    return LeaseHeartbeat(control, lambda: False, application.notifier)


def context_of(control, held, heartbeat):
    heartbeat.hold(held)
    return JobContext(control, held, heartbeat, lambda: False)


@pytest.mark.parametrize(
    "act",
    [
        lambda control, held: finish(control, held, JobState.SUCCEEDED, None, None),
        lambda control, held: finish(control, held, JobState.FAILED, "malformed", None),
        lambda control, held: claims.retry(control, held, "stalled", timedelta(0)),
        claims.hand_back,
        lambda control, held: ledger.withdraw(control, held, "least", 1),
    ],
    ids=["finish", "fail", "retry", "hand back", "withdraw"],
)
def test_a_zombie_changes_neither_the_job_nor_its_effects(control, zombie, act):
    before, had = row_of(control, zombie.job_id), effects(control, zombie.job_id)
    act(control, zombie)
    assert row_of(control, zombie.job_id) == before
    assert effects(control, zombie.job_id) == had


def test_a_zombie_begins_no_effect_and_completes_none(control, zombie):
    with pytest.raises(LeaseLost):
        ledger.begin(control, zombie, "most")
    with pytest.raises(LeaseLost):
        ledger.complete(control, zombie, "least", "reference")
    assert {key: effect.state for key, effect in effects(control, zombie.job_id).items()} == {"least": "intended"}


def test_a_zombie_shows_no_progress(control, zombie, heartbeat):
    context_of(control, zombie, heartbeat).progress(1, 1, "done")
    assert view(control, zombie.job_id).progress_note is None


def test_a_zombie_stops_at_the_checkpoint_after_its_heartbeat(control, zombie, heartbeat):
    with pytest.raises(LeaseLost):
        context_of(control, zombie, heartbeat).checkpoint_now()


def test_a_lapsed_lease_that_nobody_took_over_begins_no_effect(control, trial):
    held = take(control, trial, ask(control, trial))
    lapse(control, held.job_id)
    with pytest.raises(LeaseLost):
        ledger.begin(control, held, "least")
    assert effects(control, held.job_id) == {}


def test_a_heartbeat_brings_a_cancel_to_the_next_checkpoint(control, trial, heartbeat):
    held = take(control, trial, ask(control, trial))
    context = context_of(control, held, heartbeat)
    context.checkpoint_now()
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    with pytest.raises(Cancelled):
        context.checkpoint_now()


def test_a_heartbeat_is_not_sent_for_a_job_that_was_let_go_of(control, trial, heartbeat):
    held = take(control, trial, ask(control, trial))
    heartbeat.hold(held)
    heartbeat.let_go()
    lapse(control, held.job_id)
    heartbeat.beat()
    assert rescue(control) == 1


def test_a_job_over_which_workers_die_ends_as_worker_lost(control, trial):
    job = ask(control, trial)
    for _ in range(MOST_LOSSES):
        take(control, trial, job)
        lapse(control, job)
        rescue(control)
    row = row_of(control, job)
    assert (row.state, row.reason, row.lost, row.published_at) == ("failed", "worker_lost", MOST_LOSSES, None)
    assert story(control, job).count("retrying") == MOST_LOSSES - 1


def test_what_a_lost_job_intended_is_unknown(control, trial):
    job = ask(control, trial)
    change(control, job, lost=MOST_LOSSES - 1)
    ledger.begin(control, take(control, trial, job), "least")
    lapse(control, job)
    rescue(control)
    assert effects(control, job)["least"].state == "unknown"


def test_a_lost_job_that_leaves_something_owes_its_cleanup(control, cleanup_trial):
    job = ask(control, cleanup_trial)
    change(control, job, lost=MOST_LOSSES - 1)
    take(control, cleanup_trial, job)
    lapse(control, job)
    rescue(control)
    assert row_of(control, job).cleanup_at is not None


@pytest.mark.parametrize("lost", [0, MOST_LOSSES - 1])
def test_a_lost_job_that_was_cancelled_meanwhile_ends_instead_of_running_again(control, cleanup_trial, lost):
    held = take(control, cleanup_trial, ask(control, cleanup_trial))
    change(control, held.job_id, lost=lost, cancel_requested_at=timedelta(0))
    lapse(control, held.job_id)
    assert rescue(control) == 1
    row = row_of(control, held.job_id)
    assert (row.state, row.reason, row.published_at) == ("cancelled", "cancelled", None)
    assert (row.cleanup_at is not None, row.finished_at is not None) == (True, True)


def test_what_a_lost_and_cancelled_job_intended_is_unknown(control, trial):
    held = take(control, trial, ask(control, trial))
    ledger.begin(control, held, "least")
    change(control, held.job_id, cancel_requested_at=timedelta(0))
    lapse(control, held.job_id)
    rescue(control)
    assert effects(control, held.job_id)["least"].state == "unknown"


def test_handing_back_counts_neither_as_failure_nor_as_loss(control, trial):
    held = take(control, trial, ask(control, trial))
    claims.hand_back(control, held)
    row = row_of(control, held.job_id)
    assert (row.state, row.reason, row.failures, row.lost) == ("retrying", "handed_back", 0, 0)
    assert take(control, trial, held.job_id).attempt == 2
