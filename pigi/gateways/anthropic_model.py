"""The model that writes drafts: Anthropic's Messages API, streamed, through the official SDK.

What leaves is the fixed instruction, the schema, the name and the purpose (P14), in the repair turn also the
model's own first answer and fixed sentences. Nothing identifies a person or an organisation: no metadata, no
batches, no traces, no headers beyond those that the API needs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import anthropic
import httpx2

from pigi.domain.instructions import repair_text, request_text
from pigi.errors import Misconfigured, Permanent
from pigi.gateways.anthropic_errors import error_for_code, error_for_stop, translate
from pigi.gateways.anthropic_http import CONNECTION, CancellableConnection, bounded_client, silence_loggers
from pigi.gateways.provider_keys import REFUSALS, ProviderKeys
from pigi.ports import DraftAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from anthropic import Stream
    from anthropic.types import MessageParam, RawMessageStreamEvent

    from pigi.errors import PigiError
    from pigi.ports import DraftRequest, KeyNews

DEFAULT_BASE_URL: Final = "https://api.anthropic.com"
USER_AGENT: Final = "pigi"
_MAX_TOKENS: Final = 16_000
_MAX_CHARACTERS: Final = 200_000
CHECK_SECONDS: Final = 0.25
"""How often the caller is asked whether to go on while nothing comes."""
_LEAVE_SECONDS: Final = 0.5
"""What a call that was cut is given to end before its caller goes on. Only one that is still connecting takes longer;
it ends by itself at the limit for connecting."""


@dataclass(frozen=True)
class CallLimits:
    """Seconds, except for ``max_tokens``.

    ``read`` is the longest silence that is waited out, ``overall`` the longest time from sending to the last
    byte (noticed at the next byte, so at most ``read`` later).
    """

    connect: float = 5.0
    read: float = 30.0
    overall: float = 240.0
    max_tokens: int = _MAX_TOKENS


@dataclass(repr=False)
class _Draft:
    """What has arrived so far; ``repr`` is off so that no traceback shows it."""

    pieces: list[str] = field(default_factory=list)
    characters: int = 0
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    stop_reason: str | None = None
    complete: bool = False
    request_id: str = ""

    def take(self, event: RawMessageStreamEvent) -> str:
        """Add ``event``; the text that it brought, which may be empty."""
        text = ""
        if event.type == "message_start":
            usage = event.message.usage
            cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
            self.model, self.input_tokens = event.message.model, usage.input_tokens + cached
        elif event.type == "content_block_start" and event.content_block.type == "text":
            text = event.content_block.text
        elif event.type == "content_block_delta" and event.delta.type == "text_delta":
            text = event.delta.text
        elif event.type == "message_delta":
            self.stop_reason, self.output_tokens = event.delta.stop_reason, event.usage.output_tokens
        elif event.type == "message_stop":
            self.complete = True
        self.pieces.append(text)
        self.characters += len(text)
        return text

    def failure(self) -> PigiError | None:
        """Why the answer that ended here cannot be used; None if it can."""
        if not self.complete:
            return error_for_code("stream_cut")
        if (stopped := error_for_stop(self.stop_reason)) is not None:
            return stopped
        return None if any(piece.strip() for piece in self.pieces) else Permanent("answer_empty")

    def answer(self) -> DraftAnswer:
        """The whole answer, as the port describes it."""
        return DraftAnswer("".join(self.pieces), self.model, self.input_tokens, self.output_tokens, self.request_id)


@dataclass(frozen=True, repr=False)
class _End:
    """The end of a call: what went wrong, or None."""

    failure: PigiError | None


class _Call:
    """One call: made in a thread of its own, since the SDK's reads cannot be interrupted, and waited for in another."""

    def __init__(self) -> None:
        self.connection = CancellableConnection()
        self._heard: SimpleQueue[str | _End] = SimpleQueue()

    def make(self, model: AnthropicModel, request: DraftRequest, draft: _Draft) -> None:
        """Make the call; for its thread."""
        CONNECTION.set(self.connection)
        failure: PigiError | None = error_for_code("provider_failed")
        try:
            failure = model.collect(request, draft, self._heard.put)
        finally:
            self.connection.close()
            self._heard.put(_End(failure))

    def wait(self, on_text: Callable[[str], None], check: Callable[[], None]) -> PigiError | None:
        """Pass on what is heard until the end; what went wrong, or None. Raises what its arguments raise."""
        while True:
            try:
                heard = self._heard.get(timeout=CHECK_SECONDS)
            except Empty:
                heard = ""
            if isinstance(heard, _End):
                return heard.failure
            if heard:
                on_text(heard)
            else:
                check()


class AnthropicModel:
    """`pigi.ports.TextModel` over Anthropic's API. One object serves any number of calls and threads."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str,
        model: str,
        limits: CallLimits | None = None,
        *,
        news: KeyNews | None = None,
    ) -> None:
        """``base_url`` None means Anthropic's own address, not what the environment says.

        ``api_key`` may be several, parted by commas; ``news`` hears how each is taken.

        Raises:
            Misconfigured: the key or the model is blank.
        """
        self._keys = ProviderKeys("ANTHROPIC_API_KEY", api_key, news)
        needed = {"ANTHROPIC_API_KEY": bool(self._keys), "ANTHROPIC_MODEL": model.strip()}
        if missing := [f"{name} must be set." for name, value in needed.items() if not value]:
            raise Misconfigured(missing)
        self._model = model
        self._limits = limits or CallLimits()
        timeout = httpx2.Timeout(self._limits.read, connect=self._limits.connect)
        self._client = anthropic.Anthropic(
            base_url=base_url or DEFAULT_BASE_URL,
            api_key=self._keys.in_turn()[0],
            timeout=timeout,
            max_retries=0,
            open_telemetry=False,
            default_headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            http_client=bounded_client(timeout, self._limits.overall),
        )
        _ = self._client.messages  # the SDK loads parts on first use, and each brings a logger
        silence_loggers()

    def close(self) -> None:
        """Close idle connections; the object is of no use afterwards."""
        self._client.close()

    def write_draft(
        self, request: DraftRequest, on_text: Callable[[str], None], check: Callable[[], None]
    ) -> DraftAnswer:
        """Write a draft; see `pigi.ports.TextModel.write_draft` for the errors.

        Errors are made, not wrapped: none has a cause, a context or a frame of the SDK.
        """
        draft, call = _Draft(), _Call()
        thread = threading.Thread(target=call.make, args=(self, request, draft), name="anthropic-call", daemon=True)
        thread.start()
        try:
            failure = call.wait(on_text, check)
        finally:
            call.connection.cut()
            thread.join(_LEAVE_SECONDS)
        if failure is not None:
            raise failure
        return draft.answer()

    def collect(self, request: DraftRequest, draft: _Draft, on_text: Callable[[str], None]) -> PigiError | None:
        """Fill ``draft``; what went wrong is returned, since raising here would tie it to the SDK's error."""
        stream, failure = self._open(request)
        if stream is None:
            return failure
        with stream:
            draft.request_id = stream.response.headers.get("request-id", "")
            while not draft.complete:
                try:
                    text = draft.take(next(stream))
                except StopIteration:
                    break
                except Exception as error:  # noqa: BLE001 - see above
                    return translate(error, streaming=True)
                if draft.characters > _MAX_CHARACTERS:
                    return Permanent("draft_too_long")
                if text:
                    on_text(text)
        return draft.failure()

    def _open(self, request: DraftRequest) -> tuple[Stream[RawMessageStreamEvent] | None, PigiError | None]:
        """The answer's beginning, or what went wrong: with the first key that is not refused, or else with the last."""
        body = request_body(self._model, self._limits.max_tokens, request)
        failure: PigiError | None = None
        for key in self._keys.in_turn():
            told = {"Authorization": f"Bearer {key}"}
            try:
                stream = self._client.messages.create(**body, stream=True, extra_headers=told)
            except Exception as error:  # noqa: BLE001 - the port promises that nothing else comes out
                failure = translate(error, streaming=False)
                if not (isinstance(error, anthropic.APIStatusError) and error.status_code in REFUSALS):
                    return None, failure
                self._keys.refused(key)
            else:
                self._keys.accepted(key)
                return stream, None
        return None, failure


def request_body(model: str, max_tokens: int, request: DraftRequest) -> dict[str, Any]:
    """All that a call says (P14), besides that its answer is to be streamed; the headers are the SDK's."""
    return {
        "model": model,
        "max_tokens": max_tokens,
        "system": request.instruction,
        "messages": _messages(request),
        "output_config": {"format": {"type": "json_schema", "schema": dict(request.schema)}},
    }


def _messages(request: DraftRequest) -> list[MessageParam]:
    messages: list[MessageParam] = [{"role": "user", "content": request_text(request.name, request.purpose)}]
    if request.previous is not None:
        # The API refuses a turn without text.
        messages.append({"role": "assistant", "content": request.previous if request.previous.strip() else "{}"})
        messages.append({"role": "user", "content": repair_text(request.findings)})
    return messages
