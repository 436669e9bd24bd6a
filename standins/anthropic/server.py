"""The HTTP server of the Messages API, and the handler of its connections."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

from standins.anthropic.messages import DELTA, Event, RequestError, check_body, check_headers, reply_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

_BODY_BYTES: Final = 32 * 1024 * 1024  # the API's own limit for this endpoint


@dataclass(frozen=True)
class Request:
    """A request as it came: header names in lower case, and the body's bytes."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class AnthropicStandIn(ThreadingHTTPServer):
    """The server; a context manager that serves in a thread. ``pace`` is how long a draft streams, in seconds.

    A key among ``refused`` gets a 401, as one that was ended; any other is taken.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1", port: int = 0, pace: float = 0.0) -> None:
        super().__init__((host, port), Handler)
        self.pace = pace
        self.refused: set[str] = set()
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        """The base address to give to the SDK."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def answer(self, handler: Handler, request: Request) -> None:
        """Answer one POST; a test double replaces this."""
        check_headers(request.headers, self.refused)
        try:
            body = check_body(json.loads(request.body))
        except (ValueError, RecursionError):
            raise RequestError(400, "invalid_request_error", "The request body is not valid JSON") from None
        reply = reply_to(body)
        if body.get("stream"):
            handler.send_stream(reply.events(), self.pace * DELTA / max(DELTA, len(reply.text)))
        else:
            handler.send_json(200, reply.message())

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a trace could show what was sent, and a reader that left is no error."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """One connection. Its public methods are what behaviours of `standins.anthropic.faults` are made of."""

    protocol_version = "HTTP/1.1"
    server_version = "pigi-standin"
    sys_version = ""
    wbufsize = -1  # unbuffered writes cost a packet for each header, and 40 ms with delayed acknowledgements
    disable_nagle_algorithm = True
    server: AnthropicStandIn

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.send_json(200, {"status": "ok"})
        else:
            self.send_error_json(RequestError(404, "not_found_error", "Not found"))

    def do_POST(self) -> None:
        try:
            self.server.answer(self, self._read())
        except RequestError as error:
            self.send_error_json(error)

    def _read(self) -> Request:
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _BODY_BYTES:
            self.close_connection = True
            raise RequestError(413, "request_too_large", "The request needs a length of at most 32 MB")
        body = self.rfile.read(int(length))
        path = self.path.partition("?")[0]
        if path != "/v1/messages":
            raise RequestError(404, "not_found_error", "Not found")
        return Request(path, {name.lower(): value for name, value in self.headers.items()}, body)

    def send_json(self, status: int, value: Event, headers: Mapping[str, str] | None = None) -> None:
        """Send ``value`` as the whole answer."""
        self.send_bytes(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send_error_json(self, error: RequestError, headers: Mapping[str, str] | None = None) -> None:
        """Send ``error`` in the API's form."""
        fault = {"type": error.error_type, "message": error.message}
        self.send_json(error.status, {"type": "error", "error": fault, "request_id": None}, headers)

    def send_bytes(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send ``body`` with ``headers`` as the whole answer."""
        self.begin(status, {**headers, "Content-Length": str(len(body))})
        self.wfile.write(body)
        self.wfile.flush()

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status and the headers."""
        self.send_response(status)
        for name, value in {"request-id": f"req_{secrets.token_hex(12)}", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()

    def begin_stream(self) -> None:
        """Begin an event stream of chunks."""
        self.begin(200, {"Content-Type": "text/event-stream; charset=utf-8", "Transfer-Encoding": "chunked"})

    def send_stream(self, events: Iterator[Event], pause: float) -> None:
        """Send a whole event stream, with ``pause`` seconds after each event."""
        self.begin_stream()
        for event in events:
            self.send_event(event)
            if pause:
                self.server.closing.wait(pause)
        self.send_chunk(b"")

    def send_event(self, event: Event) -> None:
        """Send one event as a chunk."""
        self.send_chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def send_chunk(self, data: bytes) -> None:
        """Send one chunk; an empty one ends the stream."""
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""
