"""The states of a job, the legal moves, the timeline of moves, and the wait before another attempt.

docs/state-machines.md draws them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class JobState(StrEnum):
    """How far a job is; the names are permanent.

    A job that has ended is kept for 30 days, and its tombstone for 90 more (`Retention.JOB`, `Retention.TOMBSTONE`).
    """

    QUEUED = "queued"
    """Waits for its first attempt, or for one after a retry by hand. Left by the worker that claims it, or by whoever
    cancels it; kept until then, however long its partition is."""
    RUNNING = "running"
    """A worker holds its lease. Left by that worker, or by the pump once the lease has lapsed."""
    RETRYING = "retrying"
    """Waits for another attempt: the last one failed for a while, was handed back or lost its worker. Left as `QUEUED`
    is; no attempt after a failure begins later than ``deadline_at``."""
    SUCCEEDED = "succeeded"
    """Done. Left by nobody."""
    FAILED = "failed"
    """Ended without success; ``reason`` says why. Left by a retry by hand alone, for which its kind may keep for 7 days
    what that needs (`RETRYABLE`)."""
    CANCELLED = "cancelled"
    """Ended because somebody asked for it, or because its organisation was fenced. Left by nobody."""


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


def backoff(
    failures: int, longest: timedelta = BACKOFF_LONGEST, *, first: timedelta = BACKOFF_FIRST, factor: float = 2.0
) -> timedelta:
    """The wait before another attempt: ``factor`` times the last, at most ``longest``, with jitter over its upper half.

    Source: "Exponential Backoff And Jitter", AWS Architecture Blog (equal jitter).
    """
    # More doublings than thirty are decades, and would soon be more than a timedelta holds.
    most = min(first * min(factor ** min(failures, 30), 2.0**30), longest)
    share: float = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
    return most * share


@dataclass(frozen=True)
class Entry:
    """One move in a job's timeline; ``at`` is ISO 8601 in UTC by the database's clock.

    The timeline is a line a move, in the job's row, appended by the very UPDATE that makes the move, so that no second
    write can be lost or reordered against the first. A line is ``<moment> <state> <attempt> <reason or ->``; its number
    is its position, from 1.
    """

    number: int
    at: str
    state: str
    attempt: int
    reason: str | None


def read_timeline(timeline: str) -> list[Entry]:
    """The entries of a timeline, oldest first."""
    return [_entry(number, line) for number, line in enumerate(timeline.splitlines(), start=1)]


def _entry(number: int, line: str) -> Entry:
    at, state, attempt, reason = line.split(" ")
    return Entry(number, at, state, int(attempt), None if reason == "-" else reason)
