"""The real SDK against a server that fails on demand: each outcome, and what may be sent and seen."""

from __future__ import annotations

import io
import logging
import signal
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pigi.domain.resources import lint_draft, name_draft, parse_draft
from pigi.errors import Misconfigured, Permanent, PigiError, Temporary
from pigi.gateways.anthropic_http import silence_loggers
from pigi.gateways.anthropic_model import AnthropicModel, CallLimits
from standins.anthropic import faults as fault
from standins.anthropic.faults import FaultyAnthropic
from tests.gateways.anthropic_calls import (
    KEY,
    LIMITS,
    MARKERS,
    NAME,
    assert_shows_nothing,
    draft_request,
    failure_of,
    ignore,
    nothing,
    outcome_of,
    serve,
)
from tests.support.anthropic_faults import error_event, worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.mark.parametrize("kind", ["agent", "mcp-server", "document", "settings"])
def test_a_draft_streams_and_comes_back_whole(kind: str) -> None:
    pieces: list[str] = []
    with serve(fault.ok()) as (model, _server):
        answer = model.write_draft(draft_request(kind), pieces.append, nothing)
    assert "".join(pieces) == answer.text
    assert len(pieces) > 5
    assert answer.model == "claude-sonnet-5-5"
    assert answer.input_tokens > 0
    assert answer.output_tokens > 0
    assert answer.request_id.startswith("req_")
    draft = name_draft(kind, parse_draft(kind, answer.text), NAME)
    assert not [finding for finding in lint_draft(kind, draft, NAME) if finding.level == "error"]


FAILURES = [
    (fault.status(400), Permanent, "provider_rejected"),
    (fault.status(401), Permanent, "provider_unavailable"),
    (fault.status(402), Permanent, "provider_credit"),
    (fault.status(403), Permanent, "provider_unavailable"),
    (fault.status(404), Permanent, "provider_model"),
    (fault.status(408), Temporary, "provider_failed"),
    (fault.status(409), Temporary, "provider_failed"),
    (fault.status(413), Permanent, "provider_rejected"),
    (fault.status(418), Permanent, "provider_rejected"),
    (fault.status(422), Permanent, "provider_rejected"),
    (fault.status(429), Temporary, "provider_busy"),
    (fault.status(429, error_code="enforced_spend_limit_reached"), Permanent, "provider_quota"),
    (fault.status(500), Temporary, "provider_failed"),
    (fault.status(502), Temporary, "provider_failed"),
    (fault.status(503), Temporary, "provider_failed"),
    (fault.status(504), Temporary, "provider_failed"),
    (fault.status(529), Temporary, "provider_busy"),
    (error_event("overloaded_error"), Temporary, "provider_busy"),
    (error_event("rate_limit_error"), Temporary, "provider_busy"),
    (error_event("api_error"), Temporary, "provider_failed"),
    (error_event("some_new_error"), Temporary, "provider_failed"),
    (error_event("authentication_error", after=0), Permanent, "provider_unavailable"),
    (fault.refusal(), Permanent, "refused"),
    (fault.max_tokens(), Permanent, "draft_too_long"),
    (fault.text("{", "model_context_window_exceeded"), Permanent, "draft_too_long"),
    (fault.text("x" * 250_000), Permanent, "draft_too_long"),
    (fault.text("{}", "tool_use"), Permanent, "stopped_early"),
    (fault.text("{}", "pause_turn"), Permanent, "stopped_early"),
    (fault.text("{}", "some_new_reason"), Permanent, "stopped_early"),
    (fault.text("{}", None), Permanent, "stopped_early"),
    (fault.text(""), Permanent, "answer_empty"),
    (fault.text(" \n "), Permanent, "answer_empty"),
    (worded(400, "Your credit balance is too low to access the Anthropic API."), Permanent, "provider_credit"),
    (worded(400, "You have reached your specified API usage limits."), Permanent, "provider_quota"),
    (worded(400, "This organization has been disabled."), Permanent, "provider_unavailable"),
    (worded(400, "Output blocked by content filtering policy"), Permanent, "refused"),
    (fault.silent(), Temporary, "stalled"),
    (fault.stall(0), Temporary, "stalled"),
    (fault.stall(6), Temporary, "stalled"),
    (fault.hang_up(), Temporary, "provider_unreachable"),
    (fault.cut(0), Temporary, "stream_cut"),
    (fault.cut(6), Temporary, "stream_cut"),
    (fault.cut(0, politely=True), Temporary, "stream_cut"),
    (fault.cut(6, politely=True), Temporary, "stream_cut"),
    (fault.raw(b"<html>Welcome</html>", "text/html"), Temporary, "stream_cut"),
    (fault.raw(b"event: message_start\ndata: {not json\n\n"), Temporary, "provider_failed"),
    (
        fault.raw(b'event: message_start\ndata: {"type": "message_start", "message": 7}\n\n'),
        Temporary,
        "provider_failed",
    ),
    (fault.raw(b"event: content_block_delta\ndata: [1]\n\n"), Temporary, "provider_failed"),
    (fault.raw(b"\xff\xfe\n\n"), Temporary, "provider_failed"),
]


@pytest.mark.parametrize(("behaviour", "kind", "code"), FAILURES)
def test_every_failure_has_its_error_one_try_and_no_text(behaviour: Any, kind: type[PigiError], code: str) -> None:
    with serve(behaviour) as (model, server):
        with pytest.raises(PigiError) as caught:
            model.write_draft(draft_request(), ignore, nothing)
        assert len(server.requests) == 1
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert_shows_nothing(caught.value)


def test_a_closed_port_is_unreachable() -> None:
    with FaultyAnthropic([fault.ok()]) as server:
        url = server.url
    model = AnthropicModel(url, KEY, "claude-sonnet-5-5", LIMITS)
    with pytest.raises(Temporary, match="provider_unreachable"):
        model.write_draft(draft_request(), ignore, nothing)


def test_an_address_or_key_that_cannot_be_sent_needs_an_operator() -> None:
    with FaultyAnthropic([fault.ok()]) as server:
        for url, key in (("ftp://127.0.0.1", KEY), (server.url, KEY + "\nx")):
            model = AnthropicModel(url, key, "claude-sonnet-5-5", LIMITS)
            with pytest.raises(Permanent, match="provider_unavailable") as caught:
                model.write_draft(draft_request(), ignore, nothing)
            assert_shows_nothing(caught.value)
        assert server.requests == []


def test_text_without_an_utf8_form_is_rejected() -> None:
    outcome = outcome_of(fault.ok(), request=draft_request(purpose="half \ud800 purpose-marker-7783"))
    assert isinstance(outcome, Permanent)
    assert outcome.code == "provider_rejected"
    assert_shows_nothing(outcome)


@pytest.mark.parametrize(("key", "model"), [(" ", "claude-sonnet-5-5"), (KEY, "")])
def test_a_blank_key_or_model_is_misconfigured(key: str, model: str) -> None:
    with pytest.raises(Misconfigured):
        AnthropicModel(None, key, model)


@pytest.mark.parametrize("data", [b": keep-alive\n\n", b'event: ping\ndata: {"type": "ping"}\n\n', b"x"])
def test_bytes_without_an_end_stop_at_the_overall_limit(data: bytes) -> None:
    begun = time.monotonic()
    error = failure_of(fault.drip(0.02, data), CallLimits(read=1.0, overall=0.3))
    assert error.code == "stalled"
    assert time.monotonic() - begun < 20


def test_a_slow_draft_within_the_limits_is_taken() -> None:
    with serve(fault.ok(), limits=CallLimits(read=0.3)) as (model, server):
        server.pace = 0.6
        assert model.write_draft(draft_request(), ignore, nothing).text


def test_an_endless_answer_is_cut_off() -> None:
    error = failure_of(fault.drip(0.0001, b":" * 1_000_000 + b"\n"), CallLimits(read=1.0, overall=30.0))
    assert error.code == "draft_too_long"


@pytest.mark.parametrize(
    "error", [RuntimeError("mine"), Temporary("provider_busy"), KeyboardInterrupt("mine"), StopIteration("mine")]
)
def test_an_error_of_on_text_closes_the_stream_and_passes_unchanged(error: BaseException) -> None:
    def stop(_text: str) -> None:
        raise error

    with serve(fault.drip(0.005, b'event: ping\ndata: {"type": "ping"}\n\n', after=6)) as (model, server):
        with pytest.raises(type(error)) as caught:
            model.write_draft(draft_request(), stop, nothing)
        # The server can only end this behaviour by finding that nobody reads any more.
        assert server.finished.wait(5)
    assert caught.value is error
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_call_after_a_cancelled_one_works() -> None:
    def stop(_text: str) -> None:
        raise RuntimeError

    with serve(fault.ok()) as (model, _server):
        with pytest.raises(RuntimeError):
            model.write_draft(draft_request(), stop, nothing)
        assert model.write_draft(draft_request(), ignore, nothing).text


class OutsideError(Exception):
    """What a signal handler raises, such as a time limit."""


@pytest.mark.parametrize("behaviour", [fault.silent(), fault.stall(6)])
def test_a_signal_during_the_call_is_not_taken_for_the_provider(behaviour: Any) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise OutsideError

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with serve(behaviour, limits=CallLimits(read=10.0)) as (model, _server):
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(OutsideError) as caught:
                model.write_draft(draft_request(), ignore, nothing)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert_shows_nothing(caught.value)


@pytest.fixture
def everything_logged() -> Iterator[Callable[[], str]]:
    """Log as loudly as can be: DEBUG everywhere, and handlers on the root and on the loggers of the SDK."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    names = [
        None,
        "anthropic",
        "anthropic._base_client",
        "httpx2",
        "httpcore2",
        "httpcore2.http11",
        "httpcore2.connection",
    ]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
    yield stream.getvalue
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
        logger.removeHandler(handler)


@pytest.mark.parametrize(
    "behaviour", [fault.ok(), fault.status(400), fault.silent(), fault.cut(6), error_event("api_error")]
)
def test_nothing_is_logged_even_at_debug(everything_logged: Callable[[], str], behaviour: Any) -> None:
    outcome_of(behaviour)
    logged = everything_logged()
    assert not [marker for marker in MARKERS if marker in logged]
    assert "Request options" not in logged


def test_loggers_stay_silent_when_they_are_made_later() -> None:
    late = logging.getLogger("anthropic.made_later")
    silence_loggers()
    assert late.disabled


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for behaviour in (fault.ok(), fault.status(500), fault.cut(6), fault.silent()):
        outcome_of(behaviour)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("code", [429, 503, 529])
def test_the_providers_wait_comes_with_the_error(code: int) -> None:
    error = failure_of(fault.status(code, {"Retry-After": "3600"}))
    assert isinstance(error, Temporary)
    assert error.retry_after == timedelta(hours=1)


def test_a_wait_in_words_is_left_out() -> None:
    error = failure_of(fault.status(429, {"Retry-After": "soon"}))
    assert isinstance(error, Temporary)
    assert error.retry_after is None
