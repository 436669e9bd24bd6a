"""States of a job, the legal moves, and the wait before another try. docs/state-machines.md draws it."""

from __future__ import annotations

import random
from datetime import timedelta
from enum import StrEnum


class JobState(StrEnum):
    """Where a job stands; the names are permanent."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.RUNNING: frozenset({JobState.RETRYING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.RETRYING: frozenset({JobState.RUNNING, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset(),
}
"""From each state, where to. ``failed → queued`` is a retry by hand: the same job, so its effects stay single."""

WAITING = frozenset({JobState.QUEUED, JobState.RETRYING})
ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

BACKOFF_FIRST = timedelta(seconds=1)
BACKOFF_LONGEST = timedelta(minutes=2)


def sources(target: JobState) -> list[JobState]:
    """The states from which ``target`` may be reached."""
    return [state for state, targets in MOVES.items() if target in targets]


def backoff(failures: int, longest: timedelta = BACKOFF_LONGEST) -> timedelta:
    """The wait before the next try: doubling, at most ``longest``, with full jitter over its upper half.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog (equal jitter).
    """
    # More doublings than thirty are decades, and would soon be more than a timedelta holds.
    most = min(BACKOFF_FIRST * 2.0 ** min(failures, 30), longest)
    share: float = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
    return most * share
