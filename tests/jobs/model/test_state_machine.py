"""Random walks through the states of jobs, beside a model; an illegal move changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from pigi.domain.job_state import ENDED, MOVES, WAITING, JobState
from pigi.errors import Refused
from pigi.jobs.execution import claims
from pigi.jobs.execution.claims import claim
from pigi.jobs.kinds import MIGRATE_ORGANISATION, MOST_LOSSES
from pigi.jobs.model.claim import Claim
from pigi.jobs.recovery.rescue import rescue
from pigi.operations.jobs import cancel_job, retry_job
from tests.support.chance import many
from tests.support.jobs import ask, finish, lapse, register_organisation, row_of, view

if TYPE_CHECKING:
    from pigi.application import Application

KIND = MIGRATE_ORGANISATION
WALKS = settings(max_examples=many(25), stateful_step_count=25, suppress_health_check=list(HealthCheck))


@dataclass
class Expected:
    """What the model says of a job."""

    state: JobState = JobState.QUEUED
    attempt: int = 0
    failures: int = 0
    lost: int = 0
    cancelling: bool = False
    lapsed: bool = False
    story: list[JobState] = field(default_factory=lambda: [JobState.QUEUED])

    def move(self, target: JobState) -> None:
        assert target in MOVES[self.state], f"the model moved {self.state} to {target}"
        self.state = target
        self.story.append(target)

    def wait_again(self) -> None:
        """Go back to the waiting ones, and end there if somebody cancelled meanwhile."""
        self.move(JobState.RETRYING)
        if self.cancelling:
            self.move(JobState.CANCELLED)


class Walk(RuleBasedStateMachine):
    """Everything that the engine does to jobs, in any order, by workers that may have lost their lease."""

    jobs = Bundle("jobs")
    application: Application

    def __init__(self) -> None:
        super().__init__()
        self.control = self.application.control
        self.organisation = register_organisation(self.control)
        self.expected: dict[str, Expected] = {}
        self.claims: dict[str, list[Claim]] = {}

    @rule(target=jobs)
    def enqueue(self) -> str:
        job = ask(self.control, KIND, self.organisation)
        self.expected[job], self.claims[job] = Expected(), []
        return job

    @rule(job=jobs)
    def claim(self, job: str) -> None:
        expected, held = self.expected[job], claim(self.control, KIND, job)
        assert (held is not None) == (expected.state in WAITING and not expected.cancelling)
        if held is not None:
            self.claims[job].append(held)
            expected.attempt += 1
            expected.lapsed = False
            expected.move(JobState.RUNNING)

    @rule(job=jobs, state=some.sampled_from(sorted(ENDED)), age=some.integers(0, 1))
    def finish(self, job: str, state: JobState, age: int) -> None:
        if (held := self._claim(job, age)) is not None:
            finish(self.control, held, state, None, None)
            if self._holds(job, held):
                self.expected[job].move(state)

    @rule(job=jobs, age=some.integers(0, 1))
    def retry(self, job: str, age: int) -> None:
        if (held := self._claim(job, age)) is not None:
            claims.retry(self.control, held, "stalled", timedelta(0))
            if self._holds(job, held):
                self.expected[job].failures += 1
                self.expected[job].wait_again()

    @rule(job=jobs, age=some.integers(0, 1))
    def hand_back(self, job: str, age: int) -> None:
        if (held := self._claim(job, age)) is not None:
            claims.hand_back(self.control, held)
            if self._holds(job, held):
                self.expected[job].wait_again()

    @rule(job=jobs)
    def lapse(self, job: str) -> None:
        if self.expected[job].state is JobState.RUNNING:
            lapse(self.control, job)
            self.expected[job].lapsed = True

    @rule()
    def rescue(self) -> None:
        rescue(self.control)
        for expected in self.expected.values():
            if expected.state is JobState.RUNNING and expected.lapsed:
                expected.lost += 1
                if expected.lost < MOST_LOSSES or expected.cancelling:
                    expected.wait_again()
                else:
                    expected.move(JobState.FAILED)

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        cancel_job(self.application, job, self.organisation)
        expected = self.expected[job]
        if expected.state in WAITING:
            expected.move(JobState.CANCELLED)
        elif expected.state is JobState.RUNNING:
            expected.cancelling = True

    @rule(job=jobs)
    def requeue(self, job: str) -> None:
        expected = self.expected[job]
        if expected.state is not JobState.FAILED:
            self._refused(job)
            return
        retry_job(self.application, job, self.organisation, None)
        expected.move(JobState.QUEUED)
        expected.failures = expected.lost = 0
        expected.cancelling = False

    @invariant()
    def table_and_model_agree(self) -> None:
        for job, expected in self.expected.items():
            row: Any = row_of(self.control, job)
            assert row.state == expected.state
            assert (row.attempt, row.failures, row.lost) == (expected.attempt, expected.failures, expected.lost)
            assert [entry.state for entry in view(self.control, job).timeline] == expected.story
            assert (row.lease_until is not None) == (row.state == JobState.RUNNING)
            assert (row.finished_at is not None) == (row.state in ENDED)
            assert row.published_at is None or row.state not in ENDED

    def _claim(self, job: str, age: int) -> Claim | None:
        """The newest claim of the job, or the one before it: a worker that lost its lease."""
        had = self.claims[job]
        return had[-1 - age] if len(had) > age else None

    def _holds(self, job: str, held: Claim) -> bool:
        return self.expected[job].state is JobState.RUNNING and self.claims[job][-1] is held

    def _refused(self, job: str) -> None:
        with pytest.raises(Refused, match="not_retryable"):
            retry_job(self.application, job, self.organisation, None)


def test_jobs_move_as_the_table_says_whatever_happens(application):
    walk = type("WalkHere", (Walk,), {"application": application})
    run_state_machine_as_test(walk, settings=WALKS)
