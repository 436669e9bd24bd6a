"""The Messages API: requests checked as strictly as the API does, and replies as one message or a stream of events.

Source: Claude API docs, "Messages", "Errors" and "Structured outputs"; parameter types of the official SDK.
A refusal names parameters and never repeats what was sent in them.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from standins.anthropic.drafts import read_request, write_draft

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

Body = dict[str, Any]
Event = dict[str, Any]

_PARAMETERS: Final[dict[str, type | tuple[type, ...]]] = {
    "model": str,
    "messages": list,
    "max_tokens": int,
    "system": (str, list),
    "stream": bool,
    "output_config": dict,
    "stop_sequences": list,
    "metadata": dict,
    "thinking": dict,
    "tools": list,
    "tool_choice": dict,
    "service_tier": str,
    "cache_control": (dict, type(None)),
    "container": (str, dict, type(None)),
    "diagnostics": (dict, type(None)),
    "inference_geo": (str, type(None)),
    "speed": (str, type(None)),
}
_REQUIRED: Final = ("model", "messages", "max_tokens")
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max", None)
_SCHEMA_KEYWORDS: Final = frozenset({
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "format", "items", "minItems",
    "properties", "required", "title", "type",
})  # fmt: skip
_SCHEMA_DEPTH: Final = 50
DELTA: Final = 24  # characters in one delta
_CHARACTERS_A_TOKEN: Final = 4


class RequestError(Exception):
    """The request is refused with ``status`` and an error of ``error_type``."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


def _invalid(message: str) -> RequestError:
    return RequestError(400, "invalid_request_error", message)


def check_headers(headers: Mapping[str, str], refused: Collection[str] = ()) -> None:
    """Refuse a request without a key or with one of ``refused`` (401), or without the version header (400)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = headers.get("x-api-key", "").strip() or (token.strip() if scheme.lower() == "bearer" else "")
    if not key:
        raise RequestError(401, "authentication_error", "x-api-key header is required")
    if key in refused:
        raise RequestError(401, "authentication_error", "invalid x-api-key")
    if not headers.get("anthropic-version"):
        raise _invalid("anthropic-version: header is required")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _invalid("content-type: must be application/json")


def check_body(body: object) -> Body:  # noqa: C901 - a list of checks
    """``body``, if it is a request that the API would take; a `RequestError` if not."""
    if not isinstance(body, dict):
        raise _invalid("The request body must be a JSON object")
    for name in _REQUIRED:
        if name not in body:
            raise _invalid(f"{name}: Field required")
    if body.keys() - _PARAMETERS.keys():
        raise _invalid("Extra inputs are not permitted")
    for name, value in body.items():
        kinds = _PARAMETERS[name]
        if not isinstance(value, kinds) or (kinds is int and isinstance(value, bool)):
            raise _invalid(f"{name}: Input has the wrong type")
    if not body["model"].strip():
        raise _invalid("model: String should have at least 1 character")
    if body["max_tokens"] < 1:
        raise _invalid("max_tokens: Input should be greater than or equal to 1")
    _check_messages(body["messages"])
    _check_content(body.get("system", "-"), "system")
    _check_output(body.get("output_config", {}))
    return body


def _check_messages(messages: list[Any]) -> None:
    if not messages:
        raise _invalid("messages: at least one message is required")
    for position, message in enumerate(messages):
        if not isinstance(message, dict) or message.keys() != {"role", "content"}:
            raise _invalid(f"messages.{position}: must have a role and a content")
        if message["role"] not in ("user", "assistant"):
            raise _invalid(f"messages.{position}.role: must be user or assistant")
        _check_content(message["content"], f"messages.{position}.content")
    if messages[-1]["role"] == "assistant":
        raise _invalid("This model does not support assistant message prefill.")


def _check_content(content: object, where: str) -> None:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list) or not blocks:
        raise _invalid(f"{where}: must be text or a list of blocks")
    for block in blocks:
        if not isinstance(block, dict) or block.get("type") != "text" or not isinstance(block.get("text"), str):
            raise _invalid(f"{where}: this stand-in takes text blocks only")
        if not block["text"].strip():
            raise _invalid(f"{where}: text content blocks must contain non-whitespace text")


def _check_output(config: Body) -> None:
    if config.keys() - {"effort", "format"}:
        raise _invalid("output_config: Extra inputs are not permitted")
    if config.get("effort") not in _EFFORTS:
        raise _invalid("output_config.effort: Input is not one of the permitted values")
    form = config.get("format")
    if form is None:
        return
    if not isinstance(form, dict) or form.keys() != {"type", "schema"} or form["type"] != "json_schema":
        raise _invalid("output_config.format: must be a json_schema with a schema")
    _check_schema(form["schema"], 0)


def _check_schema(schema: object, depth: int) -> None:
    where = "output_config.format.schema"
    if not isinstance(schema, dict) or depth > _SCHEMA_DEPTH:
        raise _invalid(f"{where}: must be an object and not nest too deeply")
    if schema.keys() - _SCHEMA_KEYWORDS:
        raise _invalid(f"{where}: a keyword is not supported")
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        raise _invalid(f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false")
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", [])]
    for child in [*inner, *([schema["items"]] if "items" in schema else [])]:
        _check_schema(child, depth + 1)


@dataclass(frozen=True)
class Reply:
    """What the stand-in says: the text, why it ends there, and the counts that go with it."""

    model: str
    text: str
    input_tokens: int = 1
    stop_reason: str = "end_turn"
    id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(12)}")

    def message(self) -> Event:
        """The reply as one JSON message."""
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [{"type": "text", "text": self.text}],
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": self.input_tokens, "output_tokens": _tokens(self.text)},
        }

    def events(self) -> Iterator[Event]:
        """The reply as the events of a stream, in the order that the API documents."""
        usage = {"input_tokens": self.input_tokens, "output_tokens": 1}
        begun = {**self.message(), "content": [], "stop_reason": None, "usage": usage}
        yield {"type": "message_start", "message": begun}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "ping"}
        for start in range(0, len(self.text), DELTA):
            delta = {"type": "text_delta", "text": self.text[start : start + DELTA]}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
        ended = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": _tokens(self.text)}}
        yield {"type": "message_stop"}


def _tokens(text: str) -> int:
    return max(1, len(text) // _CHARACTERS_A_TOKEN)


def reply_to(body: Event) -> Reply:
    """The reply to a checked request: a draft if it asks for a schema, else a sentence that says what this is."""
    user = body["messages"][0]["content"]
    words = user if isinstance(user, str) else "\n".join(block["text"] for block in user)
    form = body.get("output_config", {}).get("format")
    text = "This is Pigi's development stand-in. It writes drafts when a schema is given."
    if form:
        text = json.dumps(write_draft(form["schema"], *read_request(words)), ensure_ascii=False)
    limit = body["max_tokens"] * _CHARACTERS_A_TOKEN
    cut = len(text) > limit
    tokens = _tokens(json.dumps(body["messages"])) + _tokens(json.dumps(body.get("system", "")))
    return Reply(body["model"], text[:limit], tokens, "max_tokens" if cut else "end_turn")
