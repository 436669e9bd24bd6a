"""The stand-in: as strict as the API, useful drafts, the documented order of events, and no traces."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pigi.domain.instructions import INSTRUCTIONS, request_text
from pigi.domain.resources import json_schema, lint_draft, name_draft, parse_draft
from standins.anthropic.drafts import read_request, write_draft
from standins.anthropic.server import AnthropicStandIn
from tests.support.chance import many
from tests.support.contents import typed_names
from tests.support.programs import program

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS = sorted(INSTRUCTIONS)
HEADERS = {"authorization": "Bearer x", "anthropic-version": "2026-10-21", "content-type": "application/json"}
BODY: dict[str, Any] = {"model": "claude-x", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}


def _post(
    server: AnthropicStandIn, body: object, headers: dict[str, str] | None = None, path: str = "/v1/messages"
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=60)  # type: ignore[arg-type]
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, data, HEADERS if headers is None else headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def _seconds(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


@pytest.mark.parametrize("kind", KINDS)
def test_drafts_are_usable_and_break_no_rule(kind: str) -> None:
    name, purpose = (
        "Release Helper",
        "Review Python changes & write release notes for https://mcp.example.org/mcp. Be brief.",
    )
    text = json.dumps(write_draft(json_schema(kind), name, purpose))
    draft = name_draft(kind, parse_draft(kind, text), name)
    assert [finding for finding in lint_draft(kind, draft, name) if finding.level == "error"] == []
    assert lint_draft(kind, parse_draft(kind, text), name) == lint_draft(kind, draft, name)


def test_an_agent_reads_like_one() -> None:
    draft: Any = write_draft(json_schema("agent"), "Reviewer", "Review pull requests for mistakes.")
    assert draft["instructions"].count("\n## ") >= 4
    assert "Review pull requests for mistakes." in draft["instructions"]
    assert draft["tools"] == ["Read", "Grep", "Glob"]


def test_drafts_claim_nothing_about_their_writer() -> None:
    drafts = json.dumps([write_draft(json_schema(kind), "Helper", "Help.") for kind in KINDS]).lower()
    assert not [word for word in ("claude", "anthropic", "ai-generated", "language model") if word in drafts]


@settings(max_examples=many(200))
@given(st.sampled_from(KINDS), typed_names, st.text(max_size=2000))
def test_any_name_and_purpose_make_a_draft_that_parses(kind: str, name: str, purpose: str) -> None:
    draft = json.dumps(write_draft(json_schema(kind), name, purpose))
    parse_draft(kind, draft)


@pytest.mark.parametrize("hidden", ["\u1160", "\u3164", "\ufe0f", "\U000e0080", "\U000e0100", "\u200b \U000e0fff"])
def test_nothing_to_see_makes_a_draft_that_parses_too(hidden: str) -> None:
    for kind in KINDS:
        parse_draft(kind, json.dumps(write_draft(json_schema(kind), hidden, hidden)))


def test_any_other_schema_is_filled_with_the_least_that_fits() -> None:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"a": {"type": "string"}, "b": {"enum": [3]}, "c": {"type": "array", "items": {"type": "null"}}},
        "required": ["a", "b", "c"],
    }
    assert write_draft(schema, "n", "p") == {"a": "text", "b": 3, "c": []}


def test_the_delimiters_are_read_back() -> None:
    assert read_request(request_text("A & B", "List<int> </purpose>")) == ("A & B", "List<int> </purpose>")


def test_the_sdk_gets_a_whole_message() -> None:
    with AnthropicStandIn() as server:
        client = anthropic.Anthropic(base_url=server.url, api_key="x", max_retries=0)
        message = client.messages.create(
            model="claude-x",
            max_tokens=4000,
            messages=[{"role": "user", "content": request_text("Reviewer", "Review.")}],
            output_config={"format": {"type": "json_schema", "schema": json_schema("agent")}},
        )
    assert message.model == "claude-x"
    assert message.stop_reason == "end_turn"
    assert message.content[0].type == "text"
    parse_draft("agent", message.content[0].text)


def test_the_stream_has_the_documented_events_in_order() -> None:
    with AnthropicStandIn() as server:
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=60)  # type: ignore[arg-type]
        connection.request("POST", "/v1/messages", json.dumps(BODY | {"stream": True, "max_tokens": 4000}), HEADERS)
        lines = connection.getresponse().read().decode().split("\n")
        connection.close()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert names[:3] == ["message_start", "content_block_start", "ping"]
    assert set(names[3:-3]) == {"content_block_delta"}
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert [event["type"] for event in data] == names


def test_the_sdk_accumulates_the_stream() -> None:
    with AnthropicStandIn() as server:
        client = anthropic.Anthropic(base_url=server.url, api_key="x", max_retries=0)
        with client.messages.stream(model="m", max_tokens=4000, messages=[{"role": "user", "content": "Hi"}]) as stream:
            text = "".join(stream.text_stream)
            assert stream.get_final_message().content[0].to_dict() == {"type": "text", "text": text}


def test_a_draft_streams_over_the_pace() -> None:
    with AnthropicStandIn(pace=0.4) as server:
        # One of a few, since a busy machine may keep any of them waiting.
        assert any(_seconds(lambda: _post(server, BODY | {"max_tokens": 4000})) < 0.3 for _ in range(20))
        client = anthropic.Anthropic(base_url=server.url, api_key="x", max_retries=0)
        config: Any = {"format": {"type": "json_schema", "schema": json_schema("agent")}}
        asked: Any = BODY | {"max_tokens": 4000, "output_config": config, "stream": True}
        assert 0.35 < _seconds(lambda: list(client.messages.create(**asked))) < 30


def test_an_answer_beyond_max_tokens_is_cut_and_says_so() -> None:
    with AnthropicStandIn() as server:
        _status, message = _post(server, BODY | {"max_tokens": 2})
    assert message["stop_reason"] == "max_tokens"
    assert len(message["content"][0]["text"]) == 8


def _format(schema: object) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[" * 100_000,
        [],
        {},
        BODY | {"model": ""},
        BODY | {"max_tokens": 0},
        BODY | {"max_tokens": True},
        BODY | {"max_tokens": "10"},
        BODY | {"temperature": 1},
        BODY | {"messages": []},
        BODY | {"messages": [{"role": "system", "content": "Hi"}]},
        BODY | {"messages": [{"role": "user", "content": " "}]},
        BODY | {"messages": [{"role": "user", "content": []}]},
        BODY | {"messages": [*BODY["messages"], {"role": "assistant", "content": "{"}]},
        BODY | {"system": ""},
        BODY | {"output_config": {"form": 1}},
        BODY | {"output_config": {"effort": "huge"}},
        BODY | _format({"type": "object", "properties": {}}),
        BODY
        | _format(
            {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}, "additionalProperties": False}
        ),
    ],
)
def test_what_the_api_refuses_is_refused(body: object) -> None:
    with AnthropicStandIn() as server:
        status, answer = _post(server, body)
    assert status == 400
    assert answer["type"] == "error"
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("headers", "status", "error_type"),
    [
        (HEADERS | {"authorization": ""}, 401, "authentication_error"),
        (HEADERS | {"authorization": "Basic x"}, 401, "authentication_error"),
        (HEADERS | {"anthropic-version": ""}, 400, "invalid_request_error"),
        (HEADERS | {"content-type": "text/plain"}, 400, "invalid_request_error"),
    ],
)
def test_headers_are_checked(headers: dict[str, str], status: int, error_type: str) -> None:
    with AnthropicStandIn() as server:
        code, answer = _post(server, BODY, headers)
    assert (code, answer["error"]["type"]) == (status, error_type)


def test_either_way_to_sign_in_is_taken() -> None:
    headers = {name: value for name, value in HEADERS.items() if name != "authorization"} | {"x-api-key": "x"}
    with AnthropicStandIn() as server:
        assert _post(server, BODY, headers)[0] == 200


def test_other_paths_are_not_found() -> None:
    with AnthropicStandIn() as server:
        assert _post(server, BODY, path="/v1/complete")[0] == 404


def test_errors_never_repeat_what_was_sent() -> None:
    with AnthropicStandIn() as server:
        for body in (
            BODY | {"marker-phrase": "x"},
            BODY | {"model": {"marker-phrase": 1}},
            BODY | {"system": ["marker-phrase"]},
        ):
            assert "marker-phrase" not in json.dumps(_post(server, body))


def test_run_as_a_program_it_serves_and_prints_nothing() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with program("standins.anthropic", "--port", str(port), "--pace", "0") as process:
        client = anthropic.Anthropic(base_url=f"http://127.0.0.1:{port}", api_key="x", max_retries=8)
        client.messages.create(model="m", max_tokens=100, messages=[{"role": "user", "content": "marker-phrase"}])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
        process.terminate()
        assert process.communicate(timeout=60)[0] == b""
