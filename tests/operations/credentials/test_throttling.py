"""Throttles: shared, exact under concurrency, and of no use to whoever would lock somebody out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pigi.clock import now
from pigi.domain.throttles import CODES, RESET_MAIL, SIGN_IN, Bucket, ThrottlePolicy
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.credentials import acquire, acquire_code, reset_throttles, try_acquire
from tests.support.accounts import Clock, everything
from tests.support.chance import many

OWNER = "ada@example.org"
NETWORKS = [f"198.51.100.{number}" for number in range(60)]
HOURS = 3
HOME = "203.0.113.9"


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch, now())


def wait_of(application, policy, network, subject):
    with pytest.raises(Refused) as refusal:
        acquire(application, policy, network, subject)
    assert refusal.value.code == "too_many_tries"
    return refusal.value.details["retry_after"]


def test_five_wrong_passwords_from_a_network_then_one_in_half_a_minute(application, clock):
    for _ in range(5):
        acquire(application, SIGN_IN, HOME, OWNER)

    assert wait_of(application, SIGN_IN, HOME, OWNER) == 30
    assert try_acquire(application, SIGN_IN, NETWORKS[0], OWNER)
    assert try_acquire(application, SIGN_IN, HOME, "somebody@example.org")
    clock.move(seconds=30)
    assert try_acquire(application, SIGN_IN, HOME, OWNER)
    assert not try_acquire(application, SIGN_IN, HOME, OWNER)


def test_a_network_that_tries_everybody_is_slowed_as_a_whole(application, clock):
    allowed = sum(try_acquire(application, SIGN_IN, HOME, f"person-{number}@example.org") for number in range(40))

    assert allowed == 30
    assert wait_of(application, SIGN_IN, HOME, OWNER) == 2
    assert try_acquire(application, SIGN_IN, NETWORKS[0], OWNER)


def test_new_passwords_bring_whoever_reads_the_mail_only_so_many_codes(application, clock):
    def ten():
        for _ in range(10):
            acquire_code(application, OWNER, "000000")
        reset_throttles(application, CODES, HOME, OWNER)

    for _ in range(9):
        ten()
        acquire_code(application, OWNER, "000000").refund()
    ten()

    with pytest.raises(Refused, match="too_many_tries"):
        acquire_code(application, OWNER, "000000")
    clock.move(seconds=360)
    assert acquire_code(application, OWNER, "000000")


def test_refunded_tries_do_not_count(application, clock):
    for _ in range(40):
        acquire(application, SIGN_IN, HOME, OWNER).refund()

    assert sum(try_acquire(application, SIGN_IN, HOME, OWNER) for _ in range(10)) == 5


def test_a_refused_try_takes_nothing_from_the_other_buckets(application, clock):
    for _ in range(50):
        try_acquire(application, SIGN_IN, HOME, OWNER)

    assert sum(try_acquire(application, SIGN_IN, HOME, f"person-{number}@example.org") for number in range(40)) == 25


def test_sixty_networks_cannot_keep_the_owner_out(application, clock):
    """Hours of attack, as fast as it may; the owner comes from networks of their own, now and then, and gets in."""
    guesses = 0
    for hour in range(HOURS):
        for network in NETWORKS:
            guesses += sum(try_acquire(application, SIGN_IN, network, OWNER) for _ in range(3))
        for place in (HOME, f"192.0.2.{hour}", f"2001:db8:{hour:x}:1::/64"):
            acquire(application, SIGN_IN, place, OWNER).refund()
        clock.move(hours=1)

    # 50 before it counts as an attack, 50 an hour from then on, and one for each network each time.
    assert guesses <= 50 + HOURS * (50 + len(NETWORKS))


def test_under_attack_a_wrong_try_leaves_the_owner_one_in_ten_minutes(application, clock):
    for network in NETWORKS:
        for _ in range(5):
            try_acquire(application, SIGN_IN, network, OWNER)

    acquire(application, SIGN_IN, HOME, OWNER)
    assert wait_of(application, SIGN_IN, HOME, OWNER) <= 600
    clock.move(minutes=10)
    acquire(application, SIGN_IN, HOME, OWNER).refund()


def test_who_has_a_new_password_by_mail_need_not_wait(application, clock):
    for network in (*NETWORKS, HOME):
        for _ in range(5):
            try_acquire(application, SIGN_IN, network, OWNER)
    assert not try_acquire(application, SIGN_IN, HOME, OWNER)

    reset_throttles(application, SIGN_IN, HOME, OWNER)

    assert try_acquire(application, SIGN_IN, HOME, OWNER)


def test_a_customer_s_many_ipv6_networks_count_as_one_under_attack(application, clock):
    many = [f"2001:db8:7:{number:x}::/64" for number in range(80)]
    guesses = sum(try_acquire(application, SIGN_IN, network, OWNER) for network in many for _ in range(2))

    assert guesses <= 50 + 1
    assert try_acquire(application, SIGN_IN, HOME, OWNER)


def test_a_subject_s_own_bucket_is_the_same_from_everywhere(application, clock):
    assert sum(try_acquire(application, RESET_MAIL, network, OWNER) for network in NETWORKS) == 5


@settings(max_examples=many(25), suppress_health_check=list(HealthCheck))
@given(st.lists(st.floats(0, 40), max_size=25), st.integers(1, 4))
def test_the_database_computes_what_the_rules_say(application, gaps, burst):
    bucket = Bucket(new_id(), burst, 12.5)
    policy, full_at, moment = ThrottlePolicy(subject=bucket), 0.0, now()
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(patch, moment)
        for gap in gaps:
            clock.move(seconds=gap)
            after = bucket.after_try(full_at, clock.timestamp)
            assert try_acquire(application, policy, subject="x") is (after is not None)
            full_at = full_at if after is None else after


def test_many_at_once_get_no_more_than_the_bucket_holds(application, clock):
    with ThreadPoolExecutor(12) as pool:
        allowed = list(pool.map(lambda _: try_acquire(application, SIGN_IN, HOME, OWNER), range(48)))

    assert sum(allowed) == 5


def test_many_networks_at_once_neither_fail_nor_wait_for_each_other(application, clock):
    people = [f"person-{number}@example.org" for number in range(4)]
    tries = [(network, person) for network in NETWORKS[:6] for person in people] * 2
    with ThreadPoolExecutor(12) as pool:
        allowed = list(pool.map(lambda one: try_acquire(application, SIGN_IN, *one), tries))

    assert all(allowed)


def test_the_table_names_neither_people_nor_networks(application, clock):
    for network, following in pairwise(NETWORKS[:4]):
        acquire(application, SIGN_IN, network, OWNER)
        acquire(application, SIGN_IN, following, OWNER)
    kept = everything(application)["throttle.key"]

    assert kept
    assert not any(text in kept for text in (OWNER, *NETWORKS))
