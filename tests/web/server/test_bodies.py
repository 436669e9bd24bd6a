"""Bodies that clients send slowly: they end, they cost their own network, and nobody else waits."""

from __future__ import annotations

import json
import threading
import weakref
from contextlib import suppress
from typing import Any

import pytest

from tests.support.live_server import Live, read_all, read_some, serving, until
from web.http.requests import MOST_BYTES
from web.http.serving import SERVING, Intake, Serving
from web.server import limits
from web.server.threads import Threads

LARGE = 2 * limits.LARGE_BYTES
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n"


class Counting:
    """An application that says how much came, and takes in ``/file`` as it comes."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failed: list[str] = []
        self.extensions = {SERVING: Serving(0, self._intake)}

    def _intake(self, _method: str, path: str) -> Intake:
        return {"/file": Intake(as_it_comes=True), "/large": Intake(LARGE)}.get(path, Intake())

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/file" and "HTTP_X_REFUSE" in environ:
            start_response("401 Unauthorized", [])
            return [b"no"]
        count = 0
        try:
            while piece := environ["wsgi.input"].read(100_000):
                count += len(piece)
        except OSError as error:
            self.failed.append(type(error).__name__)
            start_response("408 Request Timeout", [])
            return [b"slow"]
        start_response("200 OK", [])
        return [str(count).encode()]


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def live(counting: Counting) -> Any:
    with serving(counting, threads=8) as server:
        yield server


def begin(live: Live, length: int = 9, path: str = "/", source: str = "127.0.0.1") -> Any:
    """Announce a body, wait until the server asks for it (RFC 9110, section 10.1.1), and send nothing."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    connection = live.send(head.encode(), source)
    assert connection.recv(25) == CONTINUED
    return connection


def whole(body: bytes = b"x", path: str = "/") -> bytes:
    """A request that comes whole and ends its connection."""
    return b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
        path.encode(),
        len(body),
        body,
    )


def code(answer: bytes) -> tuple[bytes, str]:
    """The status and the problem's code."""
    return answer[9:12], json.loads(answer.partition(b"\r\n\r\n")[2])["code"]


def test_no_thread_waits_for_a_body(live: Live, counting: Counting) -> None:
    held = [begin(live) for _ in range(40)]
    assert live.ask(whole()).endswith(b"1")
    held[0].sendall(b"123456789")
    assert read_some(held[0], b"\r\n\r\n9").endswith(b"\r\n\r\n9")
    assert len(counting.asked) == 2


def test_a_body_that_takes_too_long_is_refused(live: Live, counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.01)
    connection = begin(live)
    connection.sendall(b"1")
    assert code(read_all(connection)) == (b"408", "body_too_slow")
    assert counting.asked == []


def test_one_network_s_bodies_make_way_for_each_other_and_for_nobody_else(live: Live) -> None:
    live.server.bodies.of_one = live.server.bodies.most = 3
    other = begin(live, source="127.0.0.2")
    own = [begin(live) for _ in range(2)]
    more = [begin(live) for _ in range(2)]
    assert [code(read_all(one)) for one in own] == [(b"408", "body_too_slow")] * 2
    for one in (other, *more):
        one.sendall(b"123456789")
        assert read_some(one, b"\r\n\r\n9").startswith(b"HTTP/1.1 200 ")


def test_large_bodies_are_bounded_by_their_bytes(live: Live) -> None:
    live.server.large_bodies.of_one = 2 * LARGE
    first, second, third = (begin(live, LARGE, "/large") for _ in range(3))
    assert code(read_all(first)) == (b"408", "body_too_slow")
    assert live.ask(whole()).endswith(b"1")
    for one in (second, third):
        one.sendall(b"x" * LARGE)
        assert read_some(one, b"\r\n\r\n%d" % LARGE).startswith(b"HTTP/1.1 200 ")
    until(lambda: live.server.large_bodies.total == 0)


@pytest.mark.parametrize("framing", [b"Content-Length: 999999", b"Transfer-Encoding: chunked"])
def test_a_body_beyond_its_route_s_bound_is_refused_before_it_is_read(
    live: Live, counting: Counting, framing: bytes
) -> None:
    connection = live.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n")
    if b"chunked" in framing:
        connection.sendall(b"20000\r\n" + b"x" * 0x20000)
    assert code(read_all(connection)) == (b"413", "body_too_large")
    assert counting.asked == []


def test_a_file_is_taken_in_as_it_comes(live: Live, counting: Counting) -> None:
    size = 3 * limits.AHEAD
    connection = begin(live, size, "/file")
    until(lambda: counting.asked == ["/file"])
    connection.sendall(b"x" * size)
    assert read_some(connection, b"\r\n\r\n%d" % size).startswith(b"HTTP/1.1 200 ")
    connection.sendall(whole())
    assert read_all(connection).endswith(b"1")


def test_a_file_that_is_refused_is_not_waited_for(live: Live) -> None:
    head = b"POST /file HTTP/1.1\r\nHost: a\r\nX-Refuse: 1\r\nContent-Length: 99999999\r\n\r\n"
    connection = live.send(head + b"x" * 100_000)
    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer


def test_a_file_that_stalls_or_whose_sender_goes_holds_no_thread(
    live: Live, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS", 0.1)
    assert read_all(begin(live, LARGE, "/file")).startswith(b"HTTP/1.1 408 ")
    monkeypatch.setattr(limits, "READ_SECONDS", 60)
    connection = begin(live, LARGE, "/file")
    connection.sendall(b"x")
    until(lambda: len(counting.asked) == 2)
    connection.close()
    until(lambda: counting.failed == ["TimeoutError", "ConnectionError"])
    until(lambda: live.server.turns.total == 0)


def test_a_network_that_has_its_share_of_threads_is_told_to_come_again() -> None:
    goes_on = threading.Event()

    def waiting(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REMOTE_ADDR"] == "127.0.0.1":
            goes_on.wait(20)
        start_response("200 OK", [])
        return [b"done"]

    with serving(waiting, threads=8) as live:
        busy = [live.send(whole()) for _ in range(4)]
        until(lambda: live.server.turns.total == 4)
        refused = live.ask(whole())
        assert code(refused) == (b"429", "too_many_at_once")
        assert b"retry-after: 5\r\n" in refused
        assert live.ask(whole(), "127.0.0.2").endswith(b"done")
        goes_on.set()
        assert all(read_all(one).endswith(b"done") for one in busy)
        assert live.ask(whole()).endswith(b"done")


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_the_bounds_of_pigi_s_routes_are_known_before_a_thread_is_asked(app: Any) -> None:
    intake = app.extensions[SERVING].intake_of
    own = "/api/v1/organisations/x"
    assert intake("POST", f"{own}/imports") == (MOST_BYTES, True)
    assert intake("POST", f"{own}/generations/y/accept").most_bytes > MOST_BYTES
    assert intake("GET", "/nowhere") == (MOST_BYTES, False)


ENDLESS = {
    "a trailer": b"0\r\nX: " + b"a" * 9999,
    "trailers": b"0\r\n" + b"X: a\r\n" * 999,
    "an extension": b"1;" + b"a" * 9999,
}


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
@pytest.mark.parametrize("path", ["/", "/file"])
def test_what_is_no_body_comes_to_an_end(live: Live, endless: bytes, path: str) -> None:
    connection = live.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
    connection.sendall(endless[:3])
    with suppress(OSError):
        for _ in range(40):
            connection.sendall(endless[3:])
    # What is refused while it is being answered is cut off.
    assert read_all(connection).startswith(b"" if path == "/file" else b"HTTP/1.1 400 ")
    until(lambda: live.server.turns.total == live.server.bodies.total == 0)


def test_chunks_of_a_byte_each_are_a_body(live: Live) -> None:
    connection = live.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(20):
        connection.sendall(b"1\r\nx\r\n" * 1000)
    connection.sendall(b"0\r\n\r\n")
    assert read_some(connection, b"20000").endswith(b"20000")


def test_large_bodies_have_their_place_until_nobody_works_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    class Working(Counting):
        def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
            begun.set()
            assert goes_on.wait(20)
            return super().__call__(environ, start_response)

    with serving(Working(), threads=8) as live:
        connection = begin(live, LARGE, "/large")
        connection.sendall(b"x" * LARGE)
        assert begun.wait(20)
        connection.close()
        until(lambda: not live.server.open)
        assert live.server.large_bodies.total == LARGE
        goes_on.set()
        until(lambda: live.server.large_bodies.total == live.server.turns.total == 0)


def test_threads_keep_nothing_of_what_they_did() -> None:
    class Act:
        """What a request is, and its body with it."""

        def __call__(self) -> None:
            pass

    threads, acts = Threads(2), [Act() for _ in range(5)]
    gone = [weakref.ref(act) for act in acts]
    while acts:
        threads.start(acts.pop())
    until(lambda: not any(one() for one in gone))
