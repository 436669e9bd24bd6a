"""Hundreds of connections of every slow kind from one network, held at once: everybody else is answered."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.http import BODY, bearer
from tests.support.live_server import Live, read_some, serving, until
from web.http import budget

if TYPE_CHECKING:
    from flask import Flask

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
EACH = 80
OTHER = "127.0.0.2"


def request(method: str, path: str, headers: dict[str, str], body: Any = None) -> bytes:
    """A request as it is sent."""
    data = json.dumps(body).encode() if body is not None else b""
    framing = {"Content-Type": "application/json", "Content-Length": str(len(data))} if body is not None else {}
    lines = [f"{method} {path} HTTP/1.1", "Host: a", *(f"{name}: {it}" for name, it in {**headers, **framing}.items())]
    return "\r\n".join((*lines, "", "")).encode() + data


def ask(live: Live, sent: bytes) -> tuple[int, Any]:
    """What another network is answered."""
    head, _, body = read_some(live.send(sent, OTHER), b"}").partition(b"\r\n\r\n")
    return int(head[9:12]), body


@pytest.mark.timeout(120)
def test_whatever_one_network_holds_others_are_answered(app: Flask, key: str, asking: str) -> None:
    with serving(app, threads=budget.THREADS) as live:
        job = json.loads(ask(live, request("POST", asking, bearer(key), BODY))[1])
        events = request("GET", job["links"]["events"], bearer(key))
        slow = {
            "bodies": request("POST", "/api/v1/session", {}, {}).replace(b"Length: 2", b"Length: 9"),
            "headers": b"GET / HTTP/1.1\r\nHost: a\r\nX: ",
            "idle": b"",
            "HTTP/2": b"PRI * HTTP/2.0\r\n",
            "readers": request("GET", "/api/v1/openapi.json", {}),
            "streams": events,
        }
        held = [live.connect(receive=4096) for _ in range(EACH * len(slow))]
        for number, one in enumerate(held):
            one.sendall(list(slow.values())[number % len(slow)])
        services = app.extensions["pigi"]
        until(lambda: services.streams.taken == EACH)
        until(lambda: live.server.turns.total == EACH)
        statuses = [ask(live, request("GET", "/api/v1/jobs", bearer(key)))[0] for _ in range(20)]
        accepted = [ask(live, request("POST", asking, bearer(key), BODY))[0] for _ in range(5)]
        followed = read_some(live.send(events, OTHER), b"event: ")

        assert set(statuses) == {200}
        assert set(accepted) == {202}
        assert b"retry: 500\n" in followed
        assert live.server.turns.held_by("127.0.0.1") == EACH
    assert threading.active_count() < budget.THREADS
