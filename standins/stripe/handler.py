"""The handler of connections, which reads requests, sends answers, and fails as it was planned.

The faults that can be planned, with their options:

``fail`` (``status``, ``retry_after``, ``after``, ``stored``): an error; ``after`` the act was done, and ``stored`` as
the answer that its idempotency key has from then on. ``busy`` (``retry_after``): a 429 before anything is done.
``slow`` (``seconds``): the request is at work that long before it acts, so that its key is in use. ``drop_before``,
``drop_after``: the connection is cut before or after the act. ``hang_after``: the act is done, and no answer comes
until the server closes. ``malformed``: the act is done, and the answer is not JSON.
"""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from standins.stripe.api import Answer, Course, answer
from standins.stripe.requests import Request, RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from standins.stripe.account import Account

_BODY_BYTES: Final = 1024 * 1024
_API: Final = ("/v1/", "/v2/")
NAMES: Final = frozenset({"fail", "busy", "slow", "drop_before", "drop_after", "hang_after", "malformed"})
# API reference, "Errors": the types of errors that are not the request's.
_TYPES: Final = {401: "invalid_request_error", 403: "invalid_request_error", 400: "invalid_request_error"}


@dataclass(frozen=True)
class Fault:
    """A fault by its name, with its options."""

    name: str
    status: int = 500
    retry_after: float | None = None
    after: bool = False
    stored: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"a fault is one of {', '.join(sorted(NAMES))}")

    @property
    def refusal(self) -> RequestError:
        """The error that it answers."""
        status = 429 if self.name == "busy" else self.status
        code = "rate_limit" if self.name == "busy" else None
        found = RequestError(status, "An error that was planned.", _TYPES.get(status, "api_error"), code=code)
        if self.retry_after is not None:
            found.headers = {"Retry-After": f"{self.retry_after:g}"}
        return found

    @property
    def refuses(self) -> bool:
        """Whether it refuses before anything is done."""
        return self.name == "busy" or (self.name == "fail" and not self.after)


class FaultyCourse(Course):
    """The course of a request that has a fault; ``closing`` ends its waits."""

    def __init__(self, fault: Fault, closing: threading.Event) -> None:
        self._fault = fault
        self._closing = closing

    def begin(self) -> None:
        if self._fault.seconds:
            self._closing.wait(self._fault.seconds)
        if self._fault.refuses:
            raise self._fault.refusal

    def end(self, found: Answer) -> Answer:
        return Answer.of(self._fault.refusal) if self._fault.after and self._fault.stored else found


@dataclass
class _Planned:
    method: str
    path: str
    fault: Fault
    times: int


class Faults:
    """The plan: the first fault that fits a request is taken, as many times as it was planned for."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def plan(self, method: str, path: str, fault: Fault, times: int = 1) -> None:
        """Plan ``fault`` for the next ``times`` requests of ``method`` (``*`` for any) whose path begins so."""
        with self._lock:
            self._planned.append(_Planned(method.upper(), path, fault, times))

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of a request, if one is planned."""
        with self._lock:
            for one in self._planned:
                if one.times > 0 and one.method in {"*", method} and path.startswith(one.path):
                    one.times -= 1
                    return one.fault
        return None

    def clear(self) -> None:
        """Plan nothing any more."""
        with self._lock:
            self._planned.clear()


@dataclass(frozen=True)
class Reply:
    """What is sent back to a request that is not for the API."""

    status: int
    kind: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Served(Protocol):
    """What a connection needs of the server that it came to."""

    account: Account
    faults: Faults
    closing: threading.Event

    def heard(self, request: Request) -> None:
        """Called with each request to the API as it comes."""

    @abstractmethod
    def reply(self, request: Request) -> Reply:
        """The reply to a request that is not for the API."""


class Handler(BaseHTTPRequestHandler):
    """A connection. Requests to the API go to `standins.stripe.api`, all others to the server's pages and controls."""

    protocol_version = "HTTP/1.1"
    server_version = "pigi-standin"
    sys_version = ""
    wbufsize = -1  # unbuffered writes cost a packet for each header, and 40 ms with delayed acknowledgements
    disable_nagle_algorithm = True
    server: Served  # type: ignore[assignment]  # the base class names any server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            request = self._read()
        except RequestError as fault:
            self.send_json(fault.status, fault.body)
            return
        if request.path == "/healthz":
            self.send_json(200, {"status": "ok"})
        elif request.path.startswith(_API):
            self._call(request)
        else:
            told = self.server.reply(request)
            self.send_bytes(told.status, told.body, {"Content-Type": told.kind, **told.headers})

    def _read(self) -> Request:
        length = self.headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _BODY_BYTES:
            self.close_connection = True
            raise RequestError(413, "The request needs a length of at most 1 MB")
        body = self.rfile.read(int(length))
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, url.path, url.query, headers, body)

    def _call(self, request: Request) -> None:
        self.server.heard(request)
        fault = self.server.faults.take(request.method, request.path)
        if fault is None:
            self._send(answer(self.server.account, request, Course()))
        elif fault.name == "drop_before":
            self.close_connection = True
        else:
            self._fail(request, fault)

    def _fail(self, request: Request, fault: Fault) -> None:
        if fault.refuses and not fault.stored:
            self._send(Answer.of(fault.refusal))
            return
        found = answer(self.server.account, request, FaultyCourse(fault, self.server.closing))
        if fault.name in {"drop_after", "hang_after"}:
            if fault.name == "hang_after":
                self.server.closing.wait()
            self.close_connection = True
        elif fault.name == "malformed":
            self.send_bytes(200, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})
        else:
            self._send(Answer.of(fault.refusal) if fault.after else found)

    def _send(self, found: Answer) -> None:
        self.send_json(found.status, found.body, found.headers)

    def send_json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        """Send ``value`` as the whole answer."""
        self.send_bytes(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def send_bytes(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send ``body`` with ``headers`` as the whole answer."""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""
