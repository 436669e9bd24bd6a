"""The statements that move jobs: legal moves only, each with its line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from pigi.domain.job_state import ENDED, MOVES, JobState
from pigi.jobs.kinds import MIGRATE_ORGANISATION
from pigi.jobs.model import transitions as moves
from pigi.store.instants import database_now
from tests.support.jobs import ask, change, raise_epoch, register_organisation, row_of, take, view

KIND = MIGRATE_ORGANISATION
STATEMENTS = {
    "claim": (JobState.RUNNING, moves.CLAIM),
    "retry": (JobState.RETRYING, moves.RETRY),
    "hand back": (JobState.RETRYING, moves.HAND_BACK),
    "take back": (JobState.RETRYING, moves.RESCUE),
    "give up": (JobState.FAILED, moves.GIVE_UP),
    "cancel": (JobState.CANCELLED, moves.CANCEL_WAITING),
    "requeue": (JobState.QUEUED, moves.REQUEUE),
    **{f"finish {state}": (state, moves.FINISH[state]) for state in sorted(ENDED)},
}
PARAMETERS = {"token": "token", "lease": 5, "retry_window": 60, "reason": "stalled", "cleanup_at": None, "delay": 0}


@pytest.fixture
def job(control):
    return ask(control, KIND, register_organisation(control))


def put(control, job, state):
    """A job in ``state`` whose lease, if it runs, is held by "token" and lapsed."""
    change(control, job, state=state, lease_token="token", lease_until=timedelta(seconds=-1))


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_moves_only_along_the_table(control, job, name):
    target, statement = STATEMENTS[name]
    for state in JobState:
        put(control, job, state)
        before = row_of(control, job)
        with control.autocommit() as connection:
            connection.execute(statement, {**PARAMETERS, "job_id": job})
        after = row_of(control, job)
        if after.state != state:
            assert target in MOVES[state]
            assert after.state == target
            assert view(control, job).timeline[-1].state == target
        else:
            assert after == before


@pytest.mark.parametrize("name", ["retry", "hand back", "take back", "give up", "finish succeeded"])
def test_a_statement_of_a_worker_needs_its_token(control, job, name):
    put(control, job, JobState.RUNNING)
    before = row_of(control, job)
    with control.autocommit() as connection:
        connection.execute(STATEMENTS[name][1], {**PARAMETERS, "job_id": job, "token": "another"})
    assert row_of(control, job) == before


@pytest.mark.parametrize("name", ["take back", "give up"])
def test_a_lease_that_holds_is_not_taken_back(control, job, name):
    put(control, job, JobState.RUNNING)
    change(control, job, lease_until=timedelta(minutes=1))
    with control.autocommit() as connection:
        assert connection.execute(STATEMENTS[name][1], {**PARAMETERS, "job_id": job}).rowcount == 0


def test_a_fenced_job_is_not_requeued(control):
    organisation = register_organisation(control)
    job = ask(control, KIND, organisation)
    put(control, job, JobState.FAILED)
    raise_epoch(control, organisation)
    with control.autocommit() as connection:
        assert connection.execute(moves.REQUEUE, {"job_id": job}).rowcount == 0


def test_every_move_is_counted_and_says_when_and_why(control, job):
    take(control, KIND, job)
    put(control, job, JobState.RUNNING)
    with control.autocommit() as connection:
        connection.execute(moves.RETRY, {**PARAMETERS, "job_id": job})
    row, entry = row_of(control, job), view(control, job).timeline[-1]
    assert (row.revision, row.reason, entry.number, entry.attempt, entry.reason) == (3, "stalled", 3, 1, "stalled")
    assert entry.at.endswith("Z")


def test_lines_of_the_timeline_are_in_the_order_of_time(control, job):
    take(control, KIND, job)
    moments = [entry.at for entry in view(control, job).timeline]
    assert moments == sorted(moments)


def test_the_clock_of_moves_is_the_databases(control):
    with control.autocommit() as connection:
        first, second = (connection.execute(select(database_now(seconds))).scalar_one() for seconds in (0, 60))
    assert timedelta(seconds=59) < second - first < timedelta(seconds=90)
