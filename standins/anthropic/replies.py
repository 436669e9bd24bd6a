"""What the stand-in says to a checked request, as one message and as the events of a stream."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from standins.anthropic.drafts import read_request, write_draft

if TYPE_CHECKING:
    from collections.abc import Iterator

DELTA: Final = 24  # characters in one delta
_CHARACTERS_A_TOKEN: Final = 4
Event = dict[str, Any]


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
