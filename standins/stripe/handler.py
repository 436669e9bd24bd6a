"""One connection to the stand-in: reads requests, sends answers, and fails as it was planned."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from standins.stripe.api import Answer, Course, answer
from standins.stripe.planned import FaultyCourse
from standins.stripe.requests import Request, RequestError
from standins.stripe.site import reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from standins.stripe.planned import Fault
    from standins.stripe.server import StripeStandIn

_BODY_BYTES: Final = 1024 * 1024
_API: Final = ("/v1/", "/v2/")


class Handler(BaseHTTPRequestHandler):
    """Requests to the API go to `standins.stripe.api`, all others to the pages and controls."""

    protocol_version = "HTTP/1.1"
    server_version = "pigi-standin"
    sys_version = ""
    wbufsize = -1  # unbuffered writes cost a packet for each header, and 40 ms with delayed acknowledgements
    disable_nagle_algorithm = True
    server: StripeStandIn

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
            told = reply(self.server, request)
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
