"""Reading the lines that moves append."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from pigi.domain.job_state import Entry, JobState, read_timeline

AT = "2026-03-01T10:00:00.000000Z"
CODES = some.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=40)
MOVES = some.tuples(some.sampled_from(list(JobState)), some.integers(0, 999), some.none() | CODES)


def test_a_job_without_lines_has_no_entries():
    assert read_timeline("") == []


def test_a_line_is_read_into_its_parts():
    assert read_timeline(f"{AT} failed 3 worker_lost\n") == [Entry(1, AT, "failed", 3, "worker_lost")]


def test_a_dash_means_no_reason():
    assert read_timeline(f"{AT} running 1 -\n")[0].reason is None


@given(some.lists(MOVES, max_size=20))
def test_entries_are_numbered_by_their_place(moves):
    text = "".join(f"{AT} {state} {attempt} {reason or '-'}\n" for state, attempt, reason in moves)
    expected = [Entry(number, AT, *move) for number, move in enumerate(moves, start=1)]
    assert read_timeline(text) == expected


def test_what_is_no_timeline_is_refused():
    with pytest.raises(ValueError, match="unpack"):
        read_timeline("half a line\n")
