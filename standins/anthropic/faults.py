"""A stand-in that fails on demand: each request takes the next behaviour of a script.

    with FaultyAnthropic([status(429, {"retry-after": "7"}), ok()]) as server:
        ...  # server.url, server.requests

After the script's end its last behaviour repeats. Requests are kept in memory, for tests to look at.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from standins.anthropic.messages import Event, Reply, RequestError, reply_to
from standins.anthropic.server import AnthropicStandIn, Handler, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Behaviour = Callable[["FaultyAnthropic", Handler, Request], object]
    Script = Sequence[Behaviour] | Callable[[int, Request], Behaviour]

# The error type that the API documents for each status ("Errors").
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class FaultyAnthropic(AnthropicStandIn):
    """``script`` is a sequence of behaviours, or a callable that chooses one by the request's number, from 0."""

    def __init__(self, script: Script, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.requests: list[Request] = []
        self.finished = threading.Event()
        self._script = script
        self._lock = threading.Lock()

    def answer(self, handler: Handler, request: Request) -> None:
        """Record ``request`` and behave as the script says; ``finished`` is set when that has ended or failed."""
        with self._lock:
            number = len(self.requests)
            self.requests.append(request)
        script = self._script
        behave = script(number, request) if callable(script) else script[min(number, len(script) - 1)]
        try:
            behave(self, handler, request)
        finally:
            self.finished.set()

    def answer_well(self, handler: Handler, request: Request) -> None:
        """Answer as the plain stand-in does."""
        super().answer(handler, request)


def ok(headers: Mapping[str, str] | None = None) -> Behaviour:
    """A good draft, after ``headers`` such as Set-Cookie."""

    def behave(server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        if headers is None:
            server.answer_well(handler, request)
            return
        handler.begin(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked", **headers})
        _send(handler, _reply(request).events())
        handler.send_chunk(b"")

    return behave


def status(code: int, headers: Mapping[str, str] | None = None, error_code: str | None = None) -> Behaviour:
    """An error of HTTP status ``code``, such as 429 with a Retry-After; the message quotes the request, as some do."""

    def behave(_server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        fault: Event = {"type": ERROR_TYPES.get(code, "api_error"), "message": request.body.decode()}
        if error_code is not None:
            fault["details"] = {"error_code": error_code}
        handler.send_json(code, {"type": "error", "error": fault}, headers)

    return behave


def text(answer: str, stop_reason: str | None = "end_turn") -> Behaviour:
    """An answer of exactly ``answer``: malformed JSON, a wrong schema, a draft that breaks rules."""

    def behave(_server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        model = json.loads(request.body)["model"]
        handler.send_stream(Reply(model, answer, stop_reason=stop_reason).events(), 0)  # type: ignore[arg-type]

    return behave


def draft(**changes: Any) -> Behaviour:
    """A good draft with some top-level fields changed."""

    def behave(server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        fields = {**json.loads(_reply(request).text), **changes}
        text(json.dumps(fields))(server, handler, request)

    return behave


def refusal() -> Behaviour:
    """The model declines after a few words."""
    return text("I can't", "refusal")


def max_tokens() -> Behaviour:
    """The answer ends at the token limit."""
    return text('{"name": "half', "max_tokens")


def silent() -> Behaviour:
    """Accept the request and never answer."""
    return lambda server, _handler, _request: server.closing.wait()


def stall(after: int) -> Behaviour:
    """Send ``after`` events, then nothing, with the connection open."""

    def behave(server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        begin(handler, request, after)
        server.closing.wait()

    return behave


def cut(after: int, *, politely: bool = False) -> Behaviour:
    """Send ``after`` events, then close: in the middle of the chunks, or ``politely`` with a proper end of body."""

    def behave(_server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        begin(handler, request, after)
        if politely:
            handler.send_chunk(b"")
        handler.close_connection = True

    return behave


def hang_up() -> Behaviour:
    """Close the connection without an answer."""

    def behave(_server: FaultyAnthropic, handler: Handler, _request: Request) -> None:
        handler.close_connection = True

    return behave


def drip(interval: float, data: bytes = b": keep-alive\n\n", after: int = 3) -> Behaviour:
    """Send ``after`` events, then ``data`` every ``interval`` seconds for ever: bytes, but no progress."""

    def behave(server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        begin(handler, request, after)
        while not server.closing.wait(interval):
            handler.send_chunk(data)

    return behave


def raw(data: bytes, content_type: str = "text/event-stream") -> Behaviour:
    """Answer 200 with exactly ``data``: broken events, a proxy's page."""
    return lambda _server, handler, _request: handler.send_bytes(200, data, {"Content-Type": content_type})


def _reply(request: Request) -> Reply:
    try:
        return reply_to(json.loads(request.body))
    except (ValueError, KeyError):
        raise RequestError(400, "invalid_request_error", "The request body is not valid") from None


def begin(handler: Handler, request: Request, count: int) -> None:
    """Begin a good answer and send its first ``count`` events."""
    handler.begin_stream()
    _send(handler, (event for event, _ in zip(_reply(request).events(), range(count), strict=False)))


def _send(handler: Handler, events: Iterable[Event]) -> None:
    for event in events:
        handler.send_event(event)
