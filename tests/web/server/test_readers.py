"""Answers go out at the pace of their readers, hold no thread for long, and end when a reader does not read."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.live_server import Live, read_all, read_some, serving, until
from web.server import limits

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = b"x" * (2 * 1024 * 1024)


class Sending:
    """An application with a large answer, the same in pieces, one that goes on for ever, and one that breaks off."""

    def __init__(self) -> None:
        self.ended = threading.Semaphore(0)

    def _for_ever(self) -> Iterator[bytes]:
        try:
            while True:
                yield LARGE[:65536]
        finally:
            self.ended.release()

    def _broken(self) -> Iterator[bytes]:
        yield b"begun"
        raise ZeroDivisionError

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        headers = {"/short": [("Content-Length", "9")], "/split": [("X", "a\r\nSet-Cookie: b")]}.get(path, [])
        start_response("200 OK", headers)
        pieces = [LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000)]
        streamed = {"/pieces": pieces, "/short": [b"less"], "/none": [], "/broken": self._broken()}
        if path in streamed:
            return iter(streamed[path])
        return self._for_ever() if path == "/ever" else [LARGE]


@pytest.fixture
def sending() -> Sending:
    return Sending()


@pytest.fixture
def live(sending: Sending) -> Any:
    with serving(sending, threads=8) as server:
        yield server


def ask(path: str, version: str = "1.1") -> bytes:
    """A request that ends its connection."""
    return f"GET {path} HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n".encode()


def unframed(body: bytes) -> bytes:
    """A body without its chunks' frames (RFC 9112, section 7.1)."""
    found = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if size == b"0":
            return found
        found, body = found + body[: int(size, 16)], body[int(size, 16) + 2 :]


def test_large_answers_come_whole_however_they_are_made(live: Live) -> None:
    head, _, body = live.ask(ask("/large")).partition(b"\r\n\r\n")
    assert b"content-length: %d\r\n" % len(LARGE) in head
    assert body == LARGE
    head, _, body = live.ask(ask("/pieces")).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked\r\n" in head
    assert unframed(body) == LARGE
    head, _, body = live.ask(ask("/pieces", "1.0")).partition(b"\r\n\r\n")
    assert (b"chunked" in head, body == LARGE) == (False, True)
    assert live.ask(ask("/none")).endswith(b"\r\n\r\n0\r\n\r\n")


def test_what_breaks_off_is_seen_to_be_less(live: Live) -> None:
    assert live.ask(ask("/short")).endswith(b"\r\n\r\nless")
    broken = live.ask(ask("/broken"))
    assert not broken.endswith(b"0\r\n\r\n")
    assert live.ask(ask("/none")).startswith(b"HTTP/1.1 200 ")


def test_no_header_makes_another(live: Live) -> None:
    assert b"Set-Cookie" not in live.ask(ask("/split"))


def test_a_whole_answer_holds_no_thread_however_slow_its_reader(live: Live) -> None:
    slow = [live.connect(receive=4096) for _ in range(20)]
    for one in slow:
        one.sendall(ask("/large"))
        assert one.recv(12) == b"HTTP/1.1 200"
    until(lambda: live.server.turns.total == 0)
    assert live.server.answers.total > len(LARGE)
    assert live.ask(ask("/none")).startswith(b"HTTP/1.1 200 ")


def test_one_network_s_readers_make_way_for_each_other(live: Live) -> None:
    live.server.answers.of_one = 2 * len(LARGE) + 4096
    other = live.connect("127.0.0.2", receive=4096)
    first, second, third = (live.connect(receive=4096) for _ in range(3))
    for one in (other, first, second, third):
        one.sendall(ask("/large"))
        assert one.recv(12) == b"HTTP/1.1 200"
    until(lambda: live.server.answers.held_by("127.0.0.1") > len(LARGE))
    assert len(read_all(first)) < len(LARGE)
    assert len(read_all(other)) > len(LARGE)
    assert len(read_all(third)) > len(LARGE)


def test_a_reader_that_takes_nothing_is_cut_off(live: Live, sending: Sending, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "READER_SECONDS", 0.3)
    stuck = [live.connect(receive=4096) for _ in range(2)]
    for path, one in zip(("/ever", "/large"), stuck, strict=True):
        one.sendall(ask(path))
        assert one.recv(12) == b"HTTP/1.1 200"
    assert sending.ended.acquire(timeout=20)
    until(lambda: live.server.turns.total == live.server.answers.total == len(live.server.open) == 0)
    # Nor does the kernel keep what it was handed.
    assert all(len(read_all(one)) < limits.SEND_BUFFER for one in stuck)


def test_a_reader_that_takes_a_byte_now_and_then_is_cut_off(
    live: Live, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READER_GRACE", 0.3)
    monkeypatch.setattr(limits, "READER_BYTES_A_SECOND", 1 << 30)
    slow = live.connect(receive=4096)
    slow.sendall(ask("/ever"))
    # However the end of it is seen here: what was handed to the kernel is thrown away.
    with suppress(ConnectionResetError):
        while slow.recv(4096) and not sending.ended.acquire(timeout=0.001):
            pass
    until(lambda: live.server.turns.total == len(live.server.open) == 0)


def test_a_client_that_goes_ends_its_stream(live: Live, sending: Sending) -> None:
    gone = live.connect()
    gone.sendall(ask("/ever"))
    read_some(gone, b"\r\n\r\n")
    gone.close()
    assert sending.ended.acquire(timeout=20)
    until(lambda: live.server.turns.total == 0)
