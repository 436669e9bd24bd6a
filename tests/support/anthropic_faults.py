"""Faults of the model's provider that only tests bring about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standins.anthropic.faults import begin

if TYPE_CHECKING:
    from standins.anthropic.faults import Behaviour, FaultyAnthropic
    from standins.anthropic.messages import Request
    from standins.anthropic.server import Handler


def error_event(error_type: str, after: int = 4) -> Behaviour:
    """Send ``after`` events, then an error inside the stream, which had begun with HTTP 200."""

    def behave(_server: FaultyAnthropic, handler: Handler, request: Request) -> None:
        begin(handler, request, after)
        fault = {"type": error_type, "message": request.body.decode()}
        handler.send_event({"type": "error", "error": fault})
        handler.send_chunk(b"")

    return behave


def worded(code: int, message: str) -> Behaviour:
    """An error of HTTP status ``code`` whose type is the general one, so that the message alone says what it is."""

    def behave(_server: FaultyAnthropic, handler: Handler, _request: Request) -> None:
        fault = {"type": "invalid_request_error", "message": message}
        handler.send_json(code, {"type": "error", "error": fault})

    return behave
