"""Pigi's HTTP server in a thread of the test's own process, over any WSGI application; and clients without manners."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from web.server.processes import listen
from web.server.serving import accept, drain
from web.server.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 20.0


class Live:
    """The server's port, and what its connections share, to look at."""

    def __init__(self, port: int, server: Shared) -> None:
        self.port, self.server = port, server
        self._opened: list[socket.socket] = []

    def connect(self, source: str = "127.0.0.1", receive: int | None = None) -> socket.socket:
        """A connection from an address of loopback's, each a network of its own; closed with the server."""
        made = socket.socket()
        if receive is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        made.bind((source, 0))
        made.settimeout(PATIENCE)
        made.connect(("127.0.0.1", self.port))
        self._opened.append(made)
        return made

    def send(self, data: bytes, source: str = "127.0.0.1") -> socket.socket:
        """A connection on which so much was sent."""
        made = self.connect(source)
        made.sendall(data)
        return made

    def ask(self, data: bytes, source: str = "127.0.0.1") -> bytes:
        """All that is answered to a request that ends the connection."""
        return read_all(self.send(data, source))

    def close(self) -> None:
        """Close what was opened."""
        for one in self._opened:
            one.close()


def read_all(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection, in whichever way."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionError:
        pass
    return found


def read_some(connection: socket.socket, end: bytes) -> bytes:
    """What comes up to a mark."""
    found = b""
    while end not in found and (piece := connection.recv(65536)):
        found += piece
    return found


@contextmanager
def serving(application: Any, threads: int = 16) -> Iterator[Live]:
    """Serve it for the block."""
    listener = listen("127.0.0.1", 0)
    loop, begun, made = asyncio.new_event_loop(), threading.Event(), []

    async def begin() -> None:
        server = Shared(application, listener, threads)
        made.append((server, await accept(server, listener)))
        begun.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(begin())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert begun.wait(PATIENCE)
    server, accepting = made[0]
    live = Live(listener.getsockname()[1], server)
    try:
        yield live
    finally:
        live.close()
        loop.call_soon_threadsafe(accepting.close)
        asyncio.run_coroutine_threadsafe(drain(server, 2), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


def until(condition: Callable[[], object]) -> None:
    """Wait for it, at most `PATIENCE` seconds."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, "it never came about"
        time.sleep(0.005)
