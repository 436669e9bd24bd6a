"""What the connections of one process share."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from web.http import budget
from web.http.serving import SERVING, Serving
from web.server import limits
from web.server.heads import Names
from web.server.shares import Share
from web.server.threads import Threads

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


class Opened(Protocol):
    """A connection, as those see it who look at all of them."""

    def sweep(self, moment: float) -> None:
        """End what is over its deadline."""

    def end(self) -> None:
        """End it at once."""

    def end_if_idle(self) -> None:
        """For a process that stops."""


class Shared:
    """Made and used in the loop, but for `call`. ``turns`` are requests that a thread works on."""

    def __init__(self, application: Any, listener: socket.socket, threads: int) -> None:
        known = getattr(application, "extensions", {}).get(SERVING, Serving())
        self.application, self.proxies, self.intake_of = application, known.proxies, known.intake_of
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self.open: set[Opened] = set()
        self.stopping = False
        self.names = Names()
        host, port = listener.getsockname()[:2]
        self.environ = {"SERVER_NAME": host, "SERVER_PORT": str(port)}
        most = min(budget.CONNECTIONS, _descriptors() - limits.DESCRIPTORS_ELSE)
        self.connections = Share(most, most if self.proxies else min(budget.CONNECTIONS_OF_ONE, most))
        self.bodies = Share(budget.BODIES, budget.BODIES_OF_ONE)
        self.large_bodies = Share(budget.BODY_BYTES, budget.BODY_BYTES_OF_ONE)
        self.answers = Share(budget.ANSWER_BYTES, budget.ANSWER_BYTES_OF_ONE)
        self.turns = Share(threads, max(1, threads // 2))
        self.threads = Threads(threads)

    def call(self, act: Callable[[], object]) -> None:
        """Let the loop do it, from a thread; nothing once it has ended."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(act)


def _descriptors() -> int:
    """Raise the number of open files to what the system allows, and say it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return min(soft, 1 << 20) if soft > 0 else 1 << 20
