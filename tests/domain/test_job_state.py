"""The table of states, and the wait before another try."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pigi.domain.job_state import BACKOFF_FIRST, BACKOFF_LONGEST, ENDED, MOVES, WAITING, JobState, backoff, sources


def test_every_state_has_its_row_in_the_table():
    assert set(MOVES) == set(JobState)


def test_the_names_of_states_are_permanent():
    assert [str(state) for state in JobState] == ["queued", "running", "retrying", "succeeded", "failed", "cancelled"]


def test_every_state_but_running_is_waiting_or_ended():
    assert WAITING | ENDED | {JobState.RUNNING} == set(JobState)
    assert not WAITING & ENDED


@pytest.mark.parametrize("state", sorted(ENDED - {JobState.FAILED}))
def test_an_ended_job_stays_as_it_is(state):
    assert MOVES[state] == frozenset()


def test_a_failed_job_may_only_be_asked_for_again():
    assert MOVES[JobState.FAILED] == {JobState.QUEUED}


def test_only_a_running_job_succeeds_fails_or_retries():
    for target in (JobState.SUCCEEDED, JobState.FAILED, JobState.RETRYING):
        assert sources(target) == [JobState.RUNNING]


@pytest.mark.parametrize("target", sorted(JobState))
def test_sources_are_the_table_read_backwards(target):
    assert set(sources(target)) == {state for state in JobState if target in MOVES[state]}


def test_every_state_can_reach_an_end():
    reaching = set(ENDED)
    for _ in JobState:
        reaching |= {state for state in JobState if MOVES[state] & reaching}
    assert reaching == set(JobState)


@given(some.integers(0, 10_000))
def test_a_wait_doubles_up_to_two_minutes_with_jitter_over_its_upper_half(failures):
    longest = min(BACKOFF_FIRST * 2 ** min(failures, 20), BACKOFF_LONGEST)
    assert longest / 2 <= backoff(failures) <= longest <= timedelta(minutes=2)


def test_waits_of_many_jobs_are_spread():
    assert len({backoff(3) for _ in range(20)}) > 10
