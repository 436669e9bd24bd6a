"""Connections as such: each has a deadline, and one network's make way for each other before anybody else's."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.support.live_server import Live, read_all, read_some, serving, until
from web.http.serving import SERVING, Serving
from web.server import limits
from web.server.connections import Connection
from web.server.shared import Shared
from web.server.shares import Share

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


class Quiet:
    """An application that says who asks."""

    def __init__(self, proxies: int = 0) -> None:
        self.extensions = {SERVING: Serving(proxies)}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["REMOTE_ADDR"].encode()]


@pytest.fixture
def live() -> Any:
    with serving(Quiet(), threads=8) as server:
        yield server


def test_headers_that_take_too_long_are_refused(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.2)
    silent = live.connect()
    begun = live.send(GET)
    kept = live.send(GET + b"\r\n")
    assert read_some(kept, b"127.0.0.1")
    kept.sendall(b"GET /")
    assert read_all(silent) == b""
    assert read_all(begun).startswith(b"HTTP/1.1 408 ")
    assert b"/problems/request_too_slow" in read_all(kept)


def test_an_idle_connection_ends(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.0)
    kept = live.send(GET + b"\r\n")
    assert read_all(kept).endswith(b"127.0.0.1")


def test_one_network_s_oldest_idle_connections_make_way(live: Live) -> None:
    live.server.connections.of_one = 3
    other = live.connect("127.0.0.2")
    until(lambda: len(live.server.open) == 1)
    own = [live.connect() for _ in range(5)]
    assert [read_all(one) for one in own[:2]] == [b"", b""]
    for one in (other, *own[2:]):
        one.sendall(GET + b"\r\n")
        assert read_some(one, b"127.0.0.").startswith(b"HTTP/1.1 200 ")


def test_a_full_house_costs_whoever_has_most(live: Live) -> None:
    live.server.connections.most = 4
    other = live.connect("127.0.0.2")
    own = [live.connect() for _ in range(3)]
    until(lambda: len(live.server.open) == 4)
    third = live.connect("127.0.0.3")
    assert read_all(own[0]) == b""
    for one in (other, third, *own[1:]):
        one.sendall(GET + b"\r\n")
        assert read_some(one, b"127.0.0.").startswith(b"HTTP/1.1 200 ")


def test_behind_proxies_no_address_has_a_bound_of_connections() -> None:
    with serving(Quiet(proxies=1), threads=8) as live:
        assert live.server.connections.of_one == live.server.connections.most
        held = [live.connect() for _ in range(5)]
        for one in held:
            one.sendall(GET + b"\r\n")
            assert read_some(one, b"127.0.0.").startswith(b"HTTP/1.1 200 ")


def test_a_share_is_whole_again_after_everything_went() -> None:
    share, given_up = Share(3, 2), []
    first = share.take("a", give_up=lambda: given_up.append("first"))
    second = share.take("a")
    assert first is not None
    assert second is not None
    third = share.take("a")
    assert given_up == ["first"]
    assert third is not None
    assert share.take("a") is None
    assert share.take("b") is not None
    assert share.take("c") is None
    for holding in (first, second, second, third):
        holding.release()
    assert (share.total, share.held_by("a"), share.held_by("b")) == (1, 0, 1)


class Broken:
    """A connection whose end fails, as that of a client that is gone can."""

    def __init__(self) -> None:
        self.ended = False

    def sweep(self, _moment: float) -> None:
        raise OSError

    def end(self) -> None:
        self.ended = True

    def end_if_idle(self) -> None:
        pass


def test_whatever_one_connection_does_the_others_keep_their_deadlines(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.2)
    broken = Broken()
    live.server.open.add(broken)
    until(lambda: broken.ended)
    assert read_all(live.send(GET)).startswith(b"HTTP/1.1 408 ")
    live.server.open.discard(broken)


def test_a_client_that_is_gone_when_it_is_refused_breaks_nothing() -> None:
    class Gone(asyncio.Transport):
        """Takes what is written, and cannot say that this was all."""

        def get_extra_info(self, _name: str, default: Any = None) -> Any:
            return default

        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            pass

        def get_write_buffer_size(self) -> int:
            return 0

        def write(self, _data: Any) -> None:
            pass

        def is_closing(self) -> bool:
            return False

        def write_eof(self) -> None:
            raise OSError

    async def refuse() -> bool:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            shared = Shared(Quiet(), listener, 1)
        connection = Connection(shared)
        connection.connection_made(Gone())
        connection.data_received(b"no request\r\n")
        return connection in shared.open

    assert asyncio.run(refuse())
