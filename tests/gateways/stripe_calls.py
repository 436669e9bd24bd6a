"""Calls of the real SDK against a server that answers by a script, with markers in all that must not be seen."""

from __future__ import annotations

import json
import threading
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from pigi.gateways.stripe_billing import StripeBilling
from pigi.gateways.stripe_http import CallLimits
from pigi.ports.billing import Contact

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

KEY = "sk_test_keymarker7781"
CONTACT = Contact("Acme name-marker-7782", "mail-marker-7783@example.com")
MARKERS = (KEY, "name-marker-7782", "mail-marker-7783", "page-marker-7784")
LIMITS = CallLimits(connect=1.0, read=0.3, overall=5.0, retries=0)


@dataclass(frozen=True)
class RequestModel:
    """A request as it arrived; ``headers`` in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode() or urlsplit(self.target).query))


class Handler(BaseHTTPRequestHandler):
    """Each request takes the next answer of the script; the last one repeats."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Scripted

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        script, asked = self.server.script, self.server.asked
        behave = script[min(len(asked), len(script) - 1)]
        asked.append(RequestModel(self.command, self.path, headers, body))
        behave(self)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the base class's names

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        pass


class Scripted(ThreadingHTTPServer):
    """``asked`` is what arrived, ``connections`` how often somebody connected."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, script: tuple[Callable[[Handler], object], ...]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script = script
        self.asked: list[RequestModel] = []
        self.connections = 0
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_details: Any) -> None:
        """Who hangs up on it is as the test wants it."""


def gives(value: Any, **headers: str) -> Callable[[Handler], object]:
    return lambda handler: handler.send(200, json.dumps(value).encode(), **headers)


def raw(status: int, body: bytes, **headers: str) -> Callable[[Handler], object]:
    return lambda handler: handler.send(status, body, **headers)


def refuses(status: int, code: str | None = None, kind: str = "invalid_request_error", **headers: str) -> Any:
    """A refusal whose message quotes the request and its key, which is worse than Stripe does."""

    def behave(handler: Handler) -> None:
        (*_, last) = handler.server.asked
        message = " ".join((last.target, last.body.decode(), last.headers["authorization"], *MARKERS))
        error = {"type": kind, "code": code, "message": message, "param": CONTACT.email}
        handler.send(status, json.dumps({"error": error}).encode(), **headers)

    return behave


def hangs_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.close()


def stays_silent(handler: Handler) -> None:
    handler.server.over.wait(20)
    handler.close_connection = True


def cuts(handler: Handler) -> None:
    """Half of an answer."""
    handler.send(200, b'{"id": "cus_', Content_Length="500")
    handler.close_connection = True


def drips(handler: Handler) -> None:
    """A byte now and then, without an end."""
    handler.send(200, b"", Content_Length="1000000")
    while not handler.server.over.wait(0.02):
        handler.wfile.write(b" ")


def floods(handler: Handler) -> None:
    """An answer without an end, as fast as can be."""
    handler.send(200, b"", Content_Length=str(10**12))
    while not handler.server.over.is_set():
        handler.wfile.write(b" " * 1_000_000)


def page(*entries: dict[str, Any], more: bool = False) -> Callable[[Handler], object]:
    return gives({"object": "list", "data": list(entries), "has_more": more, "url": "/v1/things"})


@contextmanager
def serve(
    *script: Callable[[Handler], object], limits: CallLimits = LIMITS, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[StripeBilling, Scripted]]:
    server = Scripted(script)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    billing = StripeBilling(server.url, KEY, limits)
    try:
        yield billing, server
    finally:
        billing.close()
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def assert_shows_nothing(error: BaseException) -> None:
    """No marker in the traceback, in what it is chained to, in its state, or in the locals of Pigi's frames."""
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = "".join(traceback.format_exception(error)) + repr(error.args) + repr(vars(error))
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "/tests/" not in frame.f_code.co_filename]
    assert all("/pigi/" in frame.f_code.co_filename for frame in frames)
    shown += "".join(repr(value) for frame in frames for value in frame.f_locals.values())
    assert not [marker for marker in MARKERS if marker in shown]
