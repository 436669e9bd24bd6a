"""Logging: what repeats is logged at a bounded rate."""

from __future__ import annotations

import logging

from pigi.logs import MESSAGES, RateLimitFilter


def record(message, *arguments):
    return logging.LogRecord("tests", logging.WARNING, "here", 1, message, arguments, None)


def test_a_message_that_repeats_passes_once_a_minute_and_says_how_often_it_came():
    time = [0.0]
    sparingly = RateLimitFilter(60.0, lambda: time[0])
    assert [sparingly.filter(record("%s failed", "rescue")) for _ in range(100)] == [True] + 99 * [False]
    time[0] = 60.0
    again = record("%s failed", "rescue")
    assert sparingly.filter(again)
    assert again.getMessage() == "rescue failed (and 99 times since the last such line)"


def test_a_message_keeps_no_other_from_passing():
    sparingly = RateLimitFilter()
    assert sparingly.filter(record("%s failed", "rescue"))
    assert sparingly.filter(record("%s failed", "release"))


def test_messages_that_all_differ_fill_no_memory():
    sparingly = RateLimitFilter()
    assert all(sparingly.filter(record("message %d", number)) for number in range(3 * MESSAGES))
    assert len(sparingly._seen) <= MESSAGES
