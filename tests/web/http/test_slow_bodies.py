"""Bodies that clients send slowly: nobody else waits for them, and they end."""

from __future__ import annotations

import io
import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.http import BODY, bearer, serve
from web.http import budget, requests
from web.http.auth import SESSION

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
COOKIE = f"{SESSION}={'x' * 43}"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How a client that knows HTTP/2 begins: RFC 9113, section 3.4."""


class Held(io.RawIOBase):
    """A body of which nothing comes before it is let go; says when somebody reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.awaited, self.come = threading.Event(), threading.Event()

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: object) -> int:
        self.awaited.set()
        self.come.wait(60)
        return 0


def send_held(client: Client, path: str, held: Held, headers: dict[str, str]) -> Any:
    """A request that announces a body and sends what ``held`` gives."""
    environ = {"wsgi.input": held, "CONTENT_LENGTH": "9", "CONTENT_TYPE": "application/json"}
    return client.post(path, environ_overrides=environ, headers=headers)


def post_held(app: Flask, held: Held) -> threading.Thread:
    """Somebody with a cookie who does not send what they announced; the thread ends with the answer."""

    def post() -> None:
        send_held(app.test_client(), "/api/v1/session", held, {"Cookie": COOKIE})

    thread = threading.Thread(target=post, daemon=True)
    thread.start()
    return thread


def begin(port: int, length: int = 9) -> socket.socket:
    """Announce a body and wait until the server asks for it (RFC 9110, section 10.1.1); then send nothing."""
    connection = socket.create_connection(("127.0.0.1", port), 20)
    head = ("POST /api/v1/session HTTP/1.1", "Host: localhost", f"Cookie: {COOKIE}", "Content-Type: application/json")
    lines = (*head, f"Content-Length: {length}", "Expect: 100-continue", "", "")
    connection.sendall("\r\n".join(lines).encode())
    assert connection.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return connection


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    found = b""
    while piece := connection.recv(4096):
        found += piece
    return found


def test_nobody_waits_for_a_turn_while_bodies_are_awaited(app: Flask, client: Client) -> None:
    held = [Held() for _ in range(budget.ORDINARY + 1)]
    threads = [post_held(app, one) for one in held]
    try:
        # Each of them is being read, though there are more than turns.
        assert all(one.awaited.wait(20) for one in held)
        assert client.get("/api/v1/session", headers={"Cookie": COOKIE}).status_code == 401
    finally:
        for one in held:
            one.come.set()
        for thread in threads:
            thread.join(20)


def test_a_body_that_takes_too_long_is_refused(
    client: Client, headers: dict[str, str], asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held()
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.01)
    answer = send_held(client, asking, held, headers)
    held.come.set()

    assert (answer.status_code, answer.content_type) == (408, "application/problem+json")
    assert json.loads(answer.get_data())["code"] == "body_too_slow"
    assert answer.headers["Connection"] == "close"


@pytest.mark.timeout(120)
def test_slow_clients_stall_no_server_and_the_slowest_makes_way(
    application: Application, key: str, asking: str, tmp_path: Path
) -> None:
    with serve(application.settings, tmp_path / "server.log", threads=budget.THREADS) as server:
        held = [begin(server.port) for _ in range(budget.BODIES)]
        signed_in = server.ask("GET", "/api/v1/session", {"Cookie": COOKIE})
        held.append(begin(server.port))
        given_up = read_all(held[0])
        accepted = server.ask("POST", asking, bearer(key), BODY)
        also_given_up = read_all(held[1])
        for connection in held:
            connection.close()

    assert signed_in.status == 401
    assert given_up.startswith(b"HTTP/1.1 408 ")
    assert accepted.status == 202
    assert also_given_up.startswith(b"HTTP/1.1 408 ")


def test_http_2_in_the_clear_is_not_spoken(application: Application, tmp_path: Path) -> None:
    with serve(application.settings, tmp_path / "server.log") as server:
        connection = socket.create_connection(("127.0.0.1", server.port), 20)
        connection.sendall(PREFACE + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
        answered = connection.recv(9)
        connection.close()

    # A server that speaks it answers with SETTINGS, a frame of type 4.
    assert answered[3:4] != b"\x04"
