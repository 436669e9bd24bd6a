"""The server's processes: one that holds the socket and starts the others anew when they end, and those that answer."""

from __future__ import annotations

import asyncio
import atexit
import gc
import os
import signal
import socket
import subprocess
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pigi.errors import PigiError
from web.server.limits import BACKLOG, SEND_BUFFER
from web.server.serving import serve

if TYPE_CHECKING:
    from collections.abc import Sequence

CANNOT_START: Final = 3
"""The status of a process whose application cannot be loaded: another try would not help."""
PAUSE_SECONDS: Final = 1.0
"""Between the end of a process and the start of the next in its place, if it lived no longer than `STEADY_SECONDS`."""
STEADY_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.05


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError if the address is taken or is no address of this machine's."""
    family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listener.bind(address)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


class Workers:
    """The processes that answer. Each is told by the end of its standard input that this one is gone."""

    def __init__(self, command: Sequence[str], listener: socket.socket, count: int) -> None:
        self._command, self._listener = command, listener
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self._began = [0.0] * count
        self._stopped = False

    def run(self, stop_seconds: float) -> int:
        """Keep them running until SIGTERM or SIGINT; returns the status to end with."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        status = 0
        while not self._stopped and not status:
            status = self._look()
            time.sleep(LOOK_SECONDS)
        self._end(stop_seconds)
        return status

    def _stop(self, *_: object) -> None:
        self._stopped = True

    def _look(self) -> int:
        for number, process in enumerate(self._processes):
            if process is not None and process.poll() is None:
                continue
            if process is not None and process.returncode == CANNOT_START:
                return CANNOT_START
            if process is not None and time.monotonic() - self._began[number] < STEADY_SECONDS:
                time.sleep(PAUSE_SECONDS)
            if not self._stopped:
                self._start(number)
        return 0

    def _start(self, number: int) -> None:
        self._began[number] = time.monotonic()
        self._processes[number] = subprocess.Popen(  # noqa: S603 - this very program
            [*self._command, "--socket", str(self._listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[self._listener.fileno()],
        )

    def _end(self, stop_seconds: float) -> None:
        running = [process for process in self._processes if process is not None and process.poll() is None]
        for process in running:
            process.terminate()
        until = time.monotonic() + stop_seconds + 1
        for process in running:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answer(target: str, listener: socket.socket, threads: int, stop_seconds: float) -> None:
    """Be a process that answers with ``module:name``, until told to end; does not return."""
    application = _load(target)
    # What has been made so far stays for as long as the process, and need not be looked at again and again.
    gc.collect()
    gc.freeze()
    asyncio.run(serve(application, listener, threads, stop_seconds))
    # Threads of streams are still at work: what wants to be told of the end is, and then all ends at once.
    atexit._run_exitfuncs()  # noqa: SLF001 - what sys.exit does after it has waited for threads
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing can be served
        words = str(error) if isinstance(error, PigiError) else f"{target}: {type(error).__name__}"
        sys.stderr.write(f"{words}\n")
        sys.exit(CANNOT_START)
