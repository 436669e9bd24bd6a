"""What leaves for the provider: captured by a real server and compared with what it may hold (P14)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pigi.domain.instructions import INSTRUCTIONS, repair_text
from pigi.domain.resources import json_schema
from standins.anthropic import faults as fault
from standins.anthropic.faults import FaultyAnthropic
from tests.gateways.anthropic_calls import KEY, draft_request, failure_of, ignore, nothing, serve

if TYPE_CHECKING:
    import pytest


def test_the_request_holds_the_instruction_the_name_and_the_purpose_and_nothing_else() -> None:
    with serve(fault.ok()) as (model, server):
        model.write_draft(draft_request(), ignore, nothing)
        host = server.url.removeprefix("http://")
    (captured,) = server.requests
    user = (
        "<name>Reviewer name-marker-7782</name>\n"
        "<purpose>Review changes. purpose-marker-7783 &lt;b&gt;</purpose>"
    )  # fmt: skip
    body = {
        "max_tokens": 4000,
        "messages": [{"role": "user", "content": user}],
        "model": "claude-sonnet-5-5",
        "output_config": {"format": {"type": "json_schema", "schema": json_schema("agent")}},
        "stream": True,
        "system": INSTRUCTIONS["agent"].text,
    }
    assert captured.body == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    assert captured.path == "/v1/messages"
    assert captured.headers == {
        "host": host,
        "accept": "application/json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "user-agent": "pigi",
        "content-type": "application/json",
        "content-length": str(len(captured.body)),
        "authorization": f"Bearer {KEY}",
        "anthropic-version": "2026-10-21",
    }


def test_headers_that_the_environment_adds_do_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Organisation: acme")
    with serve(fault.ok()) as (model, server):
        model.write_draft(draft_request(), ignore, nothing)
    assert "x-organisation" not in server.requests[0].headers


def test_the_environment_sets_neither_address_nor_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another-key")
    with serve(fault.ok()) as (model, server):
        model.write_draft(draft_request(), ignore, nothing)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_no_cookie_ties_two_calls_together() -> None:
    with serve(fault.ok({"Set-Cookie": "visitor=1; Path=/"})) as (model, server):
        model.write_draft(draft_request(), ignore, nothing)
        model.write_draft(draft_request(), ignore, nothing)
    assert [captured.headers.get("cookie") for captured in server.requests] == [None, None]


def test_a_redirect_is_not_followed() -> None:
    with FaultyAnthropic([fault.ok()]) as elsewhere:
        error = failure_of(fault.status(307, {"Location": elsewhere.url + "/v1/messages"}))
        assert error.code == "provider_unavailable"
        assert elsewhere.requests == []


def test_the_repair_turn_adds_the_first_answer_and_fixed_sentences() -> None:
    with serve(fault.ok()) as (model, server):
        model.write_draft(draft_request(previous='{"name": "x"}', findings=("One.", "Two.")), ignore, nothing)
        model.write_draft(draft_request(previous=" ", findings=("One.",)), ignore, nothing)
    first, second = (json.loads(captured.body)["messages"] for captured in server.requests)
    assert [message["role"] for message in first] == ["user", "assistant", "user"]
    assert [message["content"] for message in first[1:]] == ['{"name": "x"}', repair_text(["One.", "Two."])]
    assert second[1]["content"] == "{}"
