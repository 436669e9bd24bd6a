"""The times that a lease hangs on fit together; `pigi.jobs.execution.timeouts` argues why."""

from __future__ import annotations

import pytest

from pigi.gateways.anthropic_model import CHECK_SECONDS, CallLimits
from pigi.jobs.execution.cleanup import LEASE_PERIOD
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.execution.timeouts import (
    DATABASE_SECONDS,
    HARD_LIMIT_SECONDS,
    HEARTBEAT_SECONDS,
    LEASE_SECONDS,
    LOOK_SECONDS,
)
from pigi.jobs.kinds import GENERATE_DRAFT
from pigi.jobs.queueing.celery_app import app as celery
from pigi.operations.generations.drafting import TURNS
from pigi.operations.jobs.jobs import RETRY_PERIOD
from pigi.store.engines import BUSY_SECONDS, SILENCE_SECONDS, TRY_SECONDS
from worker.lifecycle import CHAIN_SECONDS, GRACE_SECONDS, OVERDUE_SECONDS

CANCEL_SECONDS = 3.0
"""What docs/state-machines.md promises to somebody who cancels."""
RECOVERY_SECONDS = 60.0
"""Within so long after any death every job runs again."""


def test_a_worker_that_waited_for_the_database_still_holds_its_lease():
    assert LOOK_SECONDS + HEARTBEAT_SECONDS + DATABASE_SECONDS + TRY_SECONDS < LEASE_SECONDS


def test_a_lock_is_waited_for_no_longer_than_a_database_that_is_away():
    assert BUSY_SECONDS <= DATABASE_SECONDS + TRY_SECONDS


def test_a_silent_database_is_noticed_while_there_is_time_to_try_again():
    assert SILENCE_SECONDS < TRY_SECONDS < DATABASE_SECONDS


def test_two_heartbeats_may_fail_before_a_lease_lapses():
    assert LOOK_SECONDS + 3 * HEARTBEAT_SECONDS < LEASE_SECONDS


def test_what_became_of_an_attempt_is_written_before_its_child_is_killed():
    assert DATABASE_SECONDS + 2 * TRY_SECONDS < HARD_LIMIT_SECONDS


def test_two_extensions_of_a_cleanups_hold_may_fail_before_it_lapses():
    assert LEASE_PERIOD.total_seconds() > 3 * HEARTBEAT_SECONDS


@pytest.mark.parametrize("hold", [LEASE_PERIOD, RETRY_PERIOD])
def test_a_cleanup_is_taken_over_in_time_from_whoever_died_in_it(hold):
    assert hold.total_seconds() < RECOVERY_SECONDS


def test_a_killed_workers_job_is_taken_back_in_time():
    assert LEASE_SECONDS < RECOVERY_SECONDS / 2


def test_a_cancel_is_learned_of_in_time_to_act_on_it():
    assert LOOK_SECONDS + CHECK_SECONDS < CANCEL_SECONDS / 2


def test_every_kinds_hard_limit_lies_above_its_soft_one_by_that_much():
    for name, handler in HANDLERS.items():
        task, seconds = celery.tasks[name], handler.kind.time_limit.total_seconds()
        assert (task.soft_time_limit, task.time_limit) == (seconds, seconds + HARD_LIMIT_SECONDS)


def test_a_draft_has_time_for_all_its_turns():
    turn = CallLimits().overall + CallLimits().read
    assert turn * TURNS <= GENERATE_DRAFT.time_limit.total_seconds()


def test_a_stopping_worker_waits_for_checkpoints_before_it_hands_back_without_one():
    assert CHAIN_SECONDS < GRACE_SECONDS
    assert GRACE_SECONDS + LOOK_SECONDS + CHECK_SECONDS < OVERDUE_SECONDS < LEASE_SECONDS
