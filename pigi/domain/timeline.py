"""A job's timeline: one line a move, appended by the very UPDATE that makes the move.

It lives in the job's row, so that no second write can be lost or reordered against the first. A line is
``<moment> <state> <attempt> <reason or ->``; its number is its position, from 1.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One move: ``at`` is ISO 8601 in UTC by the database's clock."""

    number: int
    at: str
    state: str
    attempt: int
    reason: str | None


def read(timeline: str) -> list[Entry]:
    """The entries of a timeline, oldest first."""
    return [_entry(number, line) for number, line in enumerate(timeline.splitlines(), start=1)]


def _entry(number: int, line: str) -> Entry:
    at, state, attempt, reason = line.split(" ")
    return Entry(number, at, state, int(attempt), None if reason == "-" else reason)
