"""The arithmetic of buckets, over all orders of tries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.throttles import Bucket, widest_network

BUCKETS = st.builds(Bucket, st.just("b"), st.integers(1, 8), st.sampled_from([0.5, 2.0, 30.0, 72.0, 600.0]))
START = 1_790_000_000.0
GAPS = st.lists(st.floats(0, 100), max_size=60)


def moments(gaps: list[float]) -> list[float]:
    found, at = [], START
    for gap in gaps:
        at += gap
        found.append(at)
    return found


@given(BUCKETS, GAPS)
def test_no_stretch_of_time_has_more_tries_than_burst_and_refill(bucket: Bucket, gaps: list[float]) -> None:
    full_at, allowed = 0.0, []
    for moment in moments(gaps):
        after = bucket.after_try(full_at, moment)
        if after is not None:
            full_at = after
            allowed.append(moment)
    for first, start in enumerate(allowed):
        for last, end in enumerate(allowed[first:], start=first):
            assert last - first + 1 <= bucket.burst + (end - start) / bucket.every + 1e-6


@given(BUCKETS, GAPS)
def test_whoever_waits_as_long_as_told_may_try_again_and_no_sooner(bucket: Bucket, gaps: list[float]) -> None:
    full_at = 0.0
    for moment in moments(gaps):
        after = bucket.after_try(full_at, moment)
        if after is None:
            wait = bucket.wait(full_at, moment)
            assert bucket.after_try(full_at, moment + wait + 1e-3) is not None
            assert bucket.after_try(full_at, moment + wait - 1e-3) is None
        else:
            full_at = after


@given(BUCKETS, st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50), st.booleans()), max_size=30))
def test_giving_tries_back_never_forgives_others(bucket: Bucket, tries: list[tuple[float, float, bool]]) -> None:
    """Beside a bucket from which only the failures were taken, the shared one is never fuller."""
    events, at = [], START
    for number, (gap, took, right) in enumerate(tries):
        at += gap
        events.append((at, "try", number, right))
        if right:
            events.append((at + took, "back", number, right))
    full_at, failures_only, mine = 0.0, 0.0, {}
    for moment, what, number, right in sorted(events):
        if what == "back":
            full_at -= bucket.unused(mine[number], moment) if number in mine else 0.0
        elif (after := bucket.after_try(full_at, moment)) is not None:
            full_at, mine[number] = after, moment
            if not right:
                failures_only = max(failures_only, moment) + bucket.every
        assert max(full_at, moment) >= max(failures_only, moment) - 1e-6


def test_nor_when_two_right_ones_overlap_with_a_wrong_one() -> None:
    bucket = Bucket("b", 2, 30.0)
    full_at = bucket.after_try(0.0, START) or 0.0
    full_at = bucket.after_try(full_at, START + 22) or 0.0
    full_at -= bucket.unused(START, START + 23)
    full_at = bucket.after_try(full_at, START + 24) or 0.0
    full_at -= bucket.unused(START + 22, START + 25)
    assert full_at >= START + 24 + bucket.every


@given(BUCKETS)
def test_a_right_try_leaves_a_bucket_as_it_was(bucket: Bucket) -> None:
    after = bucket.after_try(0.0, START)

    assert after is not None
    assert after - bucket.unused(START, START) == START


@pytest.mark.parametrize(
    ("network", "wider"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::/64", "2001:db8:1::/48"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("unknown", "unknown"),
    ],
)
def test_what_may_be_one_customer_s_counts_as_one(network: str, wider: str) -> None:
    assert widest_network(network) == wider
