"""The HTTP client and the logging under the Anthropic SDK, made to say no more than they must.

The SDK logs whole request bodies at DEBUG, adds headers about this machine, keeps cookies between calls and
follows redirects. None of that may happen with a person's text on board.
"""

from __future__ import annotations

import socket
import threading
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

import anthropic
import httpx2

from pigi.gateways.anthropic_errors import OverallTimeError, ResponseSizeError
from pigi.gateways.quiet import silence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A list of what may leave, not of what may not: a header that a later SDK adds stays here.
ALLOWED_HEADERS: Final = frozenset({
    "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length", "authorization",
    "anthropic-version",
})  # fmt: skip
_LOGGERS: Final = ("anthropic", "httpx2", "httpcore2")
_RESPONSE_BYTES: Final = 16 * 1024 * 1024


def silence_loggers() -> None:
    """Keep the SDK and the HTTP library from logging; to be repeated once all their parts are loaded."""
    silence(_LOGGERS)


class _BoundedStream(httpx2.SyncByteStream):
    """A response body that ends the call when it takes too long or grows too large.

    The SDK hides pings, and a server may send bytes that make no event, so the limits are checked on bytes.
    """

    def __init__(self, inner: Iterator[bytes], closer: httpx2.SyncByteStream, deadline: float) -> None:
        self._inner = inner
        self._closer = closer
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for chunk in self._inner:
            received += len(chunk)
            if time.monotonic() > self._deadline:
                raise OverallTimeError
            if received > _RESPONSE_BYTES:
                raise ResponseSizeError
            yield chunk

    def close(self) -> None:
        self._closer.close()


class CancellableConnection:
    """The connection of one call, for another thread to cut: its reads and writes end at once, and nothing more leaves.

    A thread that waits in ``recv`` is not woken by a close, only by a shutdown. The socket is duplicated as soon as it
    is connected: the wrapping in TLS takes the first one away, and the duplicate reaches the same connection at any
    stage. While it is being connected there is nothing to cut; the attempt ends by its own limit, and sends nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._cut = False

    def trace(self, event: str, details: Mapping[str, Any]) -> None:
        """What the HTTP library tells of a request's connection (its extension ``trace``)."""
        if event == "connection.connect_tcp.complete":
            with self._lock:
                self._forget()
                self._socket = details["return_value"].get_extra_info("socket").dup()
                if self._cut:
                    self._shut()

    def cut(self) -> None:
        """End the call, wherever it is."""
        with self._lock:
            self._cut = True
            self._shut()

    def close(self) -> None:
        """Let go of the socket; to be called when the call is over."""
        with self._lock:
            self._forget()

    def _shut(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the provider hung up before

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


CONNECTION: ContextVar[CancellableConnection] = ContextVar("CONNECTION")
"""The connection of the call that this thread makes."""


def bounded_client(timeout: httpx2.Timeout, overall_seconds: float) -> httpx2.Client:
    """An HTTP client that sends only `ALLOWED_HEADERS`, so no cookie, and follows no redirect.

    A call ends when the first byte after ``overall_seconds`` arrives, so at most one read timeout later. Each has a
    connection of its own, so that its `CONNECTION` is known from the start; beside a draft the handshake is nothing.
    """

    def only_allowed(request: httpx2.Request) -> None:
        for name in set(request.headers) - ALLOWED_HEADERS:
            del request.headers[name]
        request.extensions["pigi.deadline"] = time.monotonic() + overall_seconds
        request.extensions["trace"] = CONNECTION.get().trace

    def bounded(response: httpx2.Response) -> None:
        stream = response.stream
        if isinstance(stream, httpx2.SyncByteStream):
            response.stream = _BoundedStream(iter(stream), stream, response.request.extensions["pigi.deadline"])

    return anthropic.DefaultHttpxClient(
        timeout=timeout,
        limits=httpx2.Limits(max_keepalive_connections=0),
        follow_redirects=False,
        event_hooks={"request": [only_allowed], "response": [bounded]},
    )


silence_loggers()
