"""Talking to Pigi over HTTP in tests: within the process through Flask's client, and to a real server."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from pigi.jobs.heartbeats import record
from pigi.jobs.queues import QUEUES
from pigi.processes.commands import web
from tests.support.environments import ROOT, environment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pigi.application import Application
    from pigi.settings import Settings

Client = Any
"""Flask's test client. Its answers' JSON may be None, which no test here is about."""

BODY = {"resource": "agent", "name": "reviewer", "purpose": "Reviews changes for missing tests."}


def bearer(key: str, **others: str) -> dict[str, str]:
    """Headers of a request with an API key."""
    return {"Authorization": f"Bearer {key}", **others}


def make_well(application: Application) -> None:
    """Record what a pump and workers that are at work record."""
    with application.control.autocommit() as connection:
        for part in ("pump", *(f"queue {name}" for name in QUEUES)):
            record(connection, part)


@dataclass(frozen=True)
class ResponseModel:
    """One server-sent event."""

    id: str
    event: str
    data: Any


def read_events(text: str) -> list[ResponseModel]:
    """The events of a stream's text, without comments and retry times (WHATWG HTML, section 9.2.6)."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "data" in fields:
            found.append(ResponseModel(fields["id"], fields["event"], json.loads(fields["data"])))
    return found


@dataclass(frozen=True)
class Answered:
    """What a real server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """A real server in processes of its own."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    connections: list[HTTPConnection] = field(default_factory=list)

    def open(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> HTTPConnection:
        """A connection on which a request was sent; the caller reads and closes it."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        data = json.dumps(body) if body is not None else None
        connection.request(method, path, data, {"Content-Type": "application/json", **headers} if data else headers)
        return connection

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> Answered:
        """One request on a connection of its own."""
        connection = self.open(method, path, headers, body)
        response = connection.getresponse()
        answered = Answered(response.status, dict(response.getheaders()), response.read())
        connection.close()
        return answered


@contextmanager
def serve(settings: Settings, log: Path, *, workers: int = 1, threads: int = 128) -> Iterator[Server]:
    """Run the web process as production does, on ``settings``, until the block ends."""
    port = _free_port()
    command = web(settings.model_copy(update={"host": "127.0.0.1", "port": port}))
    # Of an option that is given twice the last counts.
    command += ("--workers", str(workers), "--threads", str(threads), "--stop-seconds", "5")
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment_of(settings), stdout=stream, stderr=stream)
    try:
        _until_it_answers(port, process, log)
        yield Server(port, process, log)
    finally:
        process.terminate()
        process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_it_answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                if probe.recv(12).endswith(b"200"):
                    return
        except OSError:
            pass
        time.sleep(0.05)
    message = f"the server does not answer: {log.read_text()[-2000:]}"
    raise RuntimeError(message)
