"""The event loop of one process: its beginning, its deadlines, and its end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

from web.http import logs
from web.http.context import RequestFacts
from web.server import limits
from web.server.connections import Connection
from web.server.shared import Shared

if TYPE_CHECKING:
    import socket


async def accept(shared: Shared, listener: socket.socket) -> asyncio.Server:
    """Begin to answer."""
    # A few at a time, so that a burst of connections is shared among the processes.
    accepting = await shared.loop.create_server(lambda: Connection(shared), sock=listener, backlog=16)
    listener.listen(limits.BACKLOG)
    _sweep(shared)
    return accepting


def _sweep(shared: Shared) -> None:
    """Hold every connection against its deadlines, again and again."""
    # First of all, for without it no client has a deadline any more.
    shared.loop.call_later(limits.SWEEP_SECONDS, _sweep, shared)
    moment = shared.now()
    for connection in list(shared.open):
        try:
            connection.sweep(moment)
        except Exception as error:  # noqa: BLE001 - whatever one connection does, the others have their deadlines
            logs.failure(RequestFacts("-"), error)
            connection.end()


async def drain(shared: Shared, seconds: float) -> None:
    """Let requests in progress end, for so long; no new ones begin."""
    shared.stopping = True
    until = shared.now() + seconds
    while shared.open and shared.now() < until:
        for connection in list(shared.open):
            connection.end_if_idle()
        await asyncio.sleep(0.02)


async def serve(application: Any, listener: socket.socket, threads: int, stop_seconds: float) -> None:
    """Answer on ``listener`` until SIGTERM, SIGINT, or the end of the process that holds the other end of stdin."""
    shared = Shared(application, listener, threads)
    accepting = await accept(shared, listener)
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        shared.loop.add_signal_handler(number, over.set)
    shared.loop.add_reader(0, over.set)
    await over.wait()
    shared.loop.remove_reader(0)
    accepting.close()
    await drain(shared, stop_seconds)
