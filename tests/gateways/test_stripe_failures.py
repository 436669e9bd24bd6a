"""The real SDK against a server that fails on demand: each failure has its error, and shows nothing."""

from __future__ import annotations

import io
import logging
import signal
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from pigi.errors import Misconfigured, Permanent, PigiError, Temporary
from pigi.gateways.stripe_billing import StripeBilling
from pigi.gateways.stripe_errors import translate
from pigi.gateways.stripe_http import CallLimits, quieten
from pigi.ports.billing import Contact
from tests.gateways.stripe_calls import (
    CONTACT,
    KEY,
    LIMITS,
    assert_shows_nothing,
    cuts,
    drips,
    floods,
    gives,
    hangs_up,
    page,
    raw,
    refuses,
    serve,
    stays_silent,
)
from tests.support.certificates import certify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FAILURES = [
    (refuses(400), Permanent, "billing_rejected"),
    (refuses(400, "idempotency_key_in_use"), Temporary, "billing_busy"),
    (refuses(400, kind="idempotency_error"), Permanent, "billing_rejected"),
    (refuses(400, "rate_limit"), Temporary, "billing_busy"),
    (refuses(400, "resource_missing"), Permanent, "billing_rejected"),
    (refuses(401), Temporary, "billing_refuses_us"),
    (refuses(402, "card_declined", "card_error"), Permanent, "billing_rejected"),
    (refuses(403), Temporary, "billing_refuses_us"),
    (refuses(404), Permanent, "billing_rejected"),
    (refuses(404, "resource_missing"), Permanent, "billing_rejected"),
    (refuses(409, "idempotency_key_in_use", "idempotency_error"), Temporary, "billing_busy"),
    (refuses(409, "lock_timeout"), Temporary, "billing_busy"),
    (refuses(418), Permanent, "billing_rejected"),
    (refuses(429, "lock_timeout"), Temporary, "billing_busy"),
    (refuses(429), Temporary, "billing_busy"),
    (refuses(500, kind="api_error"), Temporary, "billing_failed"),
    (refuses(502, kind="api_error"), Temporary, "billing_failed"),
    (refuses(503, kind="api_error"), Temporary, "billing_failed"),
    (raw(404, b"<html>page-marker-7784</html>"), Temporary, "billing_failed"),
    (raw(413, b'{"detail": "page-marker-7784"}'), Temporary, "billing_failed"),
    (raw(429, b"slow down, page-marker-7784"), Temporary, "billing_busy"),
    (raw(403, b"<html>page-marker-7784</html>"), Temporary, "billing_refuses_us"),
    (raw(503, b"<html>page-marker-7784</html>"), Temporary, "billing_failed"),
    (raw(200, b"<html>page-marker-7784</html>"), Temporary, "billing_failed"),
    (raw(200, b"[]"), Temporary, "billing_failed"),
    (raw(200, b"\xff\xfe"), Temporary, "billing_failed"),
    (gives({"object": "customer", "name": CONTACT.name}), Temporary, "billing_failed"),
    (hangs_up, Temporary, "billing_unreachable"),
    (stays_silent, Temporary, "billing_unreachable"),
    (cuts, Temporary, "billing_unreachable"),
]


@pytest.mark.parametrize(("behaviour", "kind", "code"), FAILURES)
def test_every_failure_has_its_error_one_try_and_no_text(behaviour: Any, kind: type[PigiError], code: str) -> None:
    with serve(behaviour) as (billing, server):
        with pytest.raises(PigiError) as caught:
            billing.update_customer("cus_1", CONTACT, "key-1")
        assert len(server.asked) == 1
    assert isinstance(caught.value, kind)
    assert caught.value.code == code
    assert_shows_nothing(caught.value)


@pytest.mark.parametrize("behaviour", [refuses(500), hangs_up, raw(200, b"nothing")])
def test_a_list_that_fails_shows_nothing_either(behaviour: Any) -> None:
    with serve(behaviour) as (billing, _server), pytest.raises(Temporary) as caught:
        list(billing.all_customers([("cus_1", CONTACT)]))
    assert_shows_nothing(caught.value)


@pytest.mark.parametrize(
    "second", [refuses(500), refuses(400, "resource_missing"), gives({"object": "list", "data": [], "has_more": True})]
)
def test_a_list_that_breaks_off_is_a_failure_and_not_its_end(second: Any) -> None:
    first = page({"id": "cus_1", "object": "customer"}, more=True)
    with serve(first, second) as (billing, _server), pytest.raises(Temporary, match="billing_failed") as caught:
        list(billing.all_customers())
    assert_shows_nothing(caught.value)


def test_a_closed_port_is_unreachable() -> None:
    with serve(gives({})) as (_billing, server):
        url = server.url
    with pytest.raises(Temporary, match="billing_unreachable") as caught:
        StripeBilling(url, KEY, LIMITS).update_customer("cus_1", CONTACT, "key-1")
    assert_shows_nothing(caught.value)


@pytest.mark.parametrize(("scheme", "key"), [("ftp", KEY), ("http", KEY + "\nX-More: 1"), ("http", "sk_tëst_\ud800")])
def test_an_address_or_key_that_cannot_be_sent_needs_an_operator(scheme: str, key: str) -> None:
    with serve(gives({"id": "cus_1"})) as (_billing, server):
        billing = StripeBilling(server.url.replace("http", scheme), key, LIMITS)
        with pytest.raises(Temporary, match="billing_refuses_us") as caught:
            billing.update_customer("cus_1", CONTACT, "key-1")
        assert server.asked == []
    assert_shows_nothing(caught.value)


def test_a_certificate_that_does_not_hold_needs_an_operator(tmp_path: Path) -> None:
    with serve(gives({"id": "cus_1"}), tls=certify(tmp_path).context) as (_billing, server):
        billing = StripeBilling(server.url.replace("http", "https"), KEY, CallLimits(retries=1))
        with pytest.raises(Temporary, match="billing_refuses_us") as caught:
            billing.update_customer("cus_1", CONTACT, "key-1")
        assert (server.connections, server.asked) == (0, [])
    assert_shows_nothing(caught.value)


def test_a_greeting_that_breaks_off_is_unreachable() -> None:
    with serve(gives({"id": "cus_1"})) as (_billing, server):
        billing = StripeBilling(server.url.replace("http", "https"), KEY, LIMITS)
        with pytest.raises(Temporary, match="billing_unreachable") as caught:
            billing.update_customer("cus_1", CONTACT, "key-1")
    assert_shows_nothing(caught.value)


def test_a_name_without_an_utf8_form_is_rejected() -> None:
    half = Contact(CONTACT.name + " \ud800", CONTACT.email)
    with serve(gives({"id": "cus_1"})) as (billing, server):
        with pytest.raises(Permanent, match="billing_rejected") as caught:
            billing.update_customer("cus_1", half, "key-1")
        assert server.asked == []
    assert_shows_nothing(caught.value)


def test_a_blank_key_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="STRIPE_API_KEY"):
        StripeBilling(None, " ")


def test_bytes_without_an_end_stop_at_the_overall_limit() -> None:
    limits = CallLimits(read=5.0, overall=0.3, retries=1)
    with serve(drips, limits=limits) as (billing, server):
        with pytest.raises(Temporary, match="billing_unreachable"):
            billing.read_customer("cus_1")
        assert len(server.asked) == 1


def test_an_endless_answer_is_cut_off() -> None:
    limits = CallLimits(overall=60.0, retries=0)
    with serve(floods, limits=limits) as (billing, _server), pytest.raises(Temporary, match="billing_failed"):
        billing.read_customer("cus_1")


@pytest.mark.parametrize("failure", [hangs_up, refuses(503), refuses(409)])
def test_a_try_more_is_made_under_the_same_key_and_no_further_one(failure: Any) -> None:
    with serve(failure, failure, gives({"id": "cus_1"}), limits=CallLimits(read=0.3)) as (billing, server):
        with pytest.raises(Temporary):
            billing.create_customer("org-1", "key-1")
        assert [asked.headers["idempotency-key"] for asked in server.asked] == ["key-1", "key-1"]
        assert server.asked[0].body == server.asked[1].body


def test_what_a_second_try_heals_is_not_seen() -> None:
    with serve(hangs_up, gives({"id": "cus_1"}), limits=CallLimits(read=0.3)) as (billing, _server):
        assert billing.create_customer("org-1", "key-1") == "cus_1"


@pytest.mark.parametrize("status", [429, 409, 503])
def test_the_wait_that_is_asked_for_comes_with_the_error(status: int) -> None:
    with serve(refuses(status, Retry_After="3600")) as (billing, _server), pytest.raises(Temporary) as caught:
        billing.read_customer("cus_1")
    assert caught.value.retry_after == timedelta(hours=1)


class OutsideError(Exception):
    """What a signal handler raises, such as a time limit."""


@pytest.mark.parametrize("behaviour", [stays_silent, drips])
def test_a_signal_during_the_call_is_not_taken_for_stripe(behaviour: Any) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise OutsideError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with serve(behaviour, limits=CallLimits(read=10.0, retries=1)) as (billing, _server):
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(OutsideError) as caught:
                billing.update_customer("cus_1", CONTACT, "key-1")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert_shows_nothing(caught.value)


def test_an_error_that_the_caller_is_handling_is_not_taken_for_the_outcome() -> None:
    with serve(refuses(500)) as (billing, _server):
        try:
            raise OutsideError  # noqa: TRY301 - the situation that is tested
        except OutsideError:
            with pytest.raises(Temporary, match="billing_failed"):
                billing.read_customer("cus_1")


def test_an_outside_error_is_found_under_the_sdks_and_cut_loose() -> None:
    outside, sdks = OutsideError(), stripe.APIError("page-marker-7784")
    outside.__context__ = stripe.APIError("page-marker-7784")
    sdks.__context__ = outside
    found = translate(sdks, None)
    assert found is outside
    assert_shows_nothing(found)


@pytest.fixture
def everything_logged() -> Iterator[Callable[[], str]]:
    """Log as loudly as can be: DEBUG everywhere, and handlers on the root and on the loggers of the SDK."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    loggers = [logging.getLogger(name) for name in (None, "stripe", "urllib3", "urllib3.connectionpool", "requests")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    yield stream.getvalue
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
        logger.removeHandler(handler)


@pytest.mark.parametrize("behaviour", [gives({"id": "cus_1"}), refuses(400), hangs_up, raw(200, b"page-marker-7784")])
def test_nothing_is_logged_or_printed_even_at_debug(
    everything_logged: Callable[[], str], behaviour: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    with serve(behaviour) as (billing, _server):
        try:
            billing.update_customer("cus_1", CONTACT, "key-1")
        except PigiError as error:
            assert_shows_nothing(error)
    assert everything_logged() == ""
    assert capfd.readouterr() == ("", "")


def test_loggers_stay_silent_when_they_are_made_later() -> None:
    late = logging.getLogger("stripe.made_later")
    quieten()
    assert late.disabled


LOUD = """
import sys
from pigi.gateways.stripe_billing import StripeBilling
from pigi.gateways.stripe_http import CallLimits
StripeBilling(sys.argv[1], "sk_test_1", CallLimits(retries=0)).create_customer("org-1", "key-1")
"""


def test_the_environment_makes_it_neither_talk_nor_leave_a_file_nor_go_elsewhere(tmp_path: Any) -> None:
    environment = {
        "STRIPE_LOG": "debug",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": "/nonexistent",
        "CURSOR_AGENT": "1",
        "PYTHONPATH": ":".join(sys.path),
    }
    with serve(gives({"id": "cus_1"})) as (_billing, server):
        done = subprocess.run(
            [sys.executable, "-c", LOUD, server.url], env=environment, capture_output=True, check=True
        )
        assert len(server.asked) == 1
        assert server.asked[0].headers["user-agent"] == "pigi"
    assert (done.stdout, done.stderr) == (b"", b"")
    assert list(tmp_path.iterdir()) == []
