"""Whether Stripe signed a webhook, held against Stripe's own library."""

from __future__ import annotations

import hmac
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe import SignatureVerificationError, WebhookSignature

from pigi.domain.stripe_events import TOLERANCE_SECONDS, is_genuine, read_secrets

SECRET = "whsec_2f1c"
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
BODY = '{"id": "evt_1", "object": "event", "name": "Zoë"}'


def signed(body: str = BODY, secret: str = SECRET, at: datetime = NOW) -> str:
    """The header that Stripe's library makes."""
    return WebhookSignature.generate_signature_header(body, secret, int(at.timestamp()))


def theirs(body: bytes, header: str, secret: str) -> bool:
    """What Stripe's library says."""
    try:
        return WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS)
    except (SignatureVerificationError, UnicodeDecodeError):
        return False


@given(st.text(), st.text("abcdefwhs_0123456789", min_size=1), st.integers(-TOLERANCE_SECONDS, TOLERANCE_SECONDS))
def test_what_stripes_library_signs_within_five_minutes_is_genuine(body, secret, seconds):
    header = signed(body, secret, NOW + timedelta(seconds=seconds))
    assert is_genuine(body.encode(), header, [secret], NOW)


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1, -86_400])
def test_what_is_older_or_from_the_future_is_not(seconds):
    assert not is_genuine(BODY.encode(), signed(at=NOW + timedelta(seconds=seconds)), [SECRET], NOW)


def test_another_body_or_secret_is_not_what_was_signed():
    header = signed()
    assert is_genuine(BODY.encode(), header, [SECRET], NOW)
    assert not is_genuine(BODY.encode() + b" ", header, [SECRET], NOW)
    assert not is_genuine(BODY.encode(), header, [SECRET + "x"], NOW)
    assert not is_genuine(BODY.encode(), header, [], NOW)


def test_while_a_secret_is_replaced_either_will_do():
    old, new = signed(secret="whsec_old"), signed(secret="whsec_new")
    both = f"{old},{new.partition(',')[2]}"
    for header, known in ((old, ["whsec_new", "whsec_old"]), (new, ["whsec_new", "whsec_old"]), (both, ["whsec_new"])):
        assert is_genuine(BODY.encode(), header, known, NOW)


def test_the_time_cannot_be_said_twice_or_moved():
    header = signed(at=NOW - timedelta(hours=1))
    fresh = int(NOW.timestamp())
    moved = f"t={fresh},{header.partition(',')[2]}"
    for forged in (f"t={fresh},{header}", f"{header},t={fresh}", moved, f"{signed()},t={fresh}"):
        assert not is_genuine(BODY.encode(), forged, [SECRET], NOW)


def test_a_signature_of_the_scheme_for_tests_does_not_count():
    assert not is_genuine(BODY.encode(), signed().replace("v1=", "v0="), [SECRET], NOW)


def test_secrets_are_parted_by_commas_or_spaces():
    assert read_secrets(" whsec_a, whsec_b\nwhsec_c ") == ["whsec_a", "whsec_b", "whsec_c"]
    assert read_secrets("") == []


PARTS = st.one_of(
    st.sampled_from(["t=1", "v1=", "v1", "v0=00", "=", "", "t=", "v1=é", "t=1_0", "t=-1", "t=+1", "x=y=z"]),
    st.text(max_size=20),
)


@given(st.binary(), st.lists(PARTS, max_size=6).map(",".join))
def test_rubbish_is_not_genuine_and_breaks_nothing(body, header):
    assert not is_genuine(body, header, [SECRET], NOW)


@given(st.data())
def test_it_takes_nothing_that_stripes_library_would_not(data):
    """Genuine ones, each in one or two places no longer so. The library asks the machine's own clock."""
    now = datetime.fromtimestamp(int(time.time()), UTC)
    age = data.draw(st.sampled_from([0, 60, 600]))
    body, header = BODY.encode(), signed(at=now - timedelta(seconds=age))
    for _ in range(data.draw(st.integers(0, 2))):
        if data.draw(st.booleans()):
            body = data.draw(edited(body))
        else:
            header = data.draw(edited(header.encode())).decode("latin-1")
    ours = is_genuine(body, header, [SECRET], now)
    assert ours <= theirs(body, header, SECRET)
    if (body, header) == (BODY.encode(), signed(at=now - timedelta(seconds=age))):
        assert ours is theirs(body, header, SECRET) is (age < TOLERANCE_SECONDS)


@st.composite
def edited(draw, text: bytes) -> bytes:
    """The same with one byte other, missing or more, or a part of it twice."""
    at = draw(st.integers(0, len(text)))
    how = draw(st.sampled_from(["other", "missing", "more", "twice"]))
    new = bytes([draw(st.integers(0x21, 0x7E))])
    return {
        "other": text[:at] + new + text[at + 1 :],
        "missing": text[:at] + text[at + 1 :],
        "more": text[:at] + new + text[at:],
        "twice": text + b"," + text[at:],
    }[how]


def test_the_signature_is_that_of_the_documentation():
    at = int(NOW.timestamp())
    digest = hmac.new(SECRET.encode(), f"{at}.{BODY}".encode(), "sha256").hexdigest()
    assert signed() == f"t={at},v1={digest}"
