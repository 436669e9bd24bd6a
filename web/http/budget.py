"""What a web process holds for its clients, and how it spends its threads, in one place.

The server (`web.server`) receives requests and sends answers in an event loop, so that a client's pace holds no
thread. A thread works on a request from when it is whole until it is answered. Whoever waits there (for events, for a
job, for another request with the same key) holds a thread for seconds or minutes and costs little but memory
meanwhile. So there are many threads, most of them for waiting, and each sort of waiting has a number of slots.
Ordinary requests have threads that no waiting can hold, and few of them work at once, by permits: more would only
fight over the interpreter and over connections. None is held while waiting.

Of everything one network may have a part and never all: about half, which is plenty for an office behind one address
(a hundred people with a stream each), and leaves the other half to everybody else.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 2
"""Web processes."""
STREAMS = 256
"""Event streams that may stay open a process; more get a brief stream and come back."""
STREAMS_OF_ONE = 128
WAITS = 16
"""Requests a process that may wait for their job (``Prefer: wait``); more are answered at once."""
WAITS_OF_ONE = 8
REPEATS = 128
"""Repeats of an Idempotency-Key a process that may wait for its first request; more are told to come again."""
REPEATS_OF_ONE = 64
DOWNLOADS = 32
"""Files a process that may be on their way to their clients; more are told to come again."""
DOWNLOADS_OF_ONE = 16
ORDINARY = 12
"""Requests of known callers that a process works on at once; more wait for a permit, each network in turn."""
ORDINARY_OF_ONE = 6
VISITS = 6
"""Requests of unknown callers who read, but for its health; likewise."""
VISITS_OF_ONE = 3
ENTRIES = 16
"""Requests of unknown callers that change something, such as signing in, where they may wait for their turn to hash."""
ENTRIES_OF_ONE = 8
WAITER_READS = 4
"""Whoever waits and looks at the databases at once; with `ORDINARY`, no more than the control pool holds."""
WAITER_READS_OF_ONE = 2
UPLOADS = 8
"""Uploads of files a process; one more is told to come again."""
UPLOADS_OF_ONE = 4
QUEUED = 64
"""Threads for requests that wait for a permit."""
THREADS = STREAMS + WAITS + REPEATS + DOWNLOADS + UPLOADS + ORDINARY + VISITS + ENTRIES + QUEUED
"""Threads a process, made on demand; a network has half at most."""

CONNECTIONS = 4096
"""Connections a process, if its file descriptors suffice; one more, and an idle one of who holds most is closed."""
CONNECTIONS_OF_ONE = 512
"""Likewise of one network, as long as no proxy stands in front."""
BODIES = 512
"""Bodies that a process receives at once; one more, and the oldest of who sends most is given up."""
BODIES_OF_ONE = 128
BODY_BYTES = 64 * 1024 * 1024
"""Bytes of large bodies a process, each counted until its request is done with; likewise."""
BODY_BYTES_OF_ONE = 24 * 1024 * 1024
ANSWER_BYTES = 128 * 1024 * 1024
"""Bytes of large answers that wait for their readers; over it, the oldest reader of who holds most is cut off. An
answer that is the same for all is in memory once, however many wait for it."""
ANSWER_BYTES_OF_ONE = 32 * 1024 * 1024


class Slot:
    """The right to hold a thread while waiting. Give it back: how often does not matter, it counts once."""

    def __init__(self, slots: Slots, network: str) -> None:
        self._slots: Slots | None = slots
        self._network = network

    def give_back(self) -> None:
        """Free the slot."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.put_back(self._network)


class Slots:
    """A fixed number of slots, of which one network may have ``of_one``."""

    def __init__(self, count: int, of_one: int) -> None:
        self._lock = threading.Lock()
        self.count = self.free = count
        self.of_one = of_one
        self._held: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self.count - self.free

    def take(self, network: str) -> Slot | None:
        """A slot, or None when all are taken or the network has its share; never waits."""
        with self._lock:
            if self.free <= 0 or self._held[network] >= self.of_one:
                return None
            self.free -= 1
            self._held[network] += 1
        return Slot(self, network)

    def put_back(self, network: str) -> None:
        """Count one slot as free again."""
        with self._lock:
            self.free += 1
            self._held[network] -= 1
            if not self._held[network]:
                del self._held[network]


class Permits:
    """So many at a time, and ``of_one`` of a network; the rest wait, and each network that waits has its turn."""

    def __init__(self, count: int, of_one: int) -> None:
        self._lock = threading.Lock()
        self._free, self._of_one = count, of_one
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[threading.Lock]] = {}

    @contextmanager
    def held(self, network: str) -> Iterator[None]:
        """Have one for a block."""
        self._acquire(network)
        try:
            yield
        finally:
            self._release(network)

    @contextmanager
    def released(self, network: str) -> Iterator[None]:
        """The inverse: whoever has one gives it up for the length of a block."""
        self._release(network)
        try:
            yield
        finally:
            self._acquire(network)

    def _acquire(self, network: str) -> None:
        with self._lock:
            if self._free and self._held[network] < self._of_one:
                self._free -= 1
                self._held[network] += 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.setdefault(network, deque()).append(turn)
        turn.acquire()

    def _release(self, network: str) -> None:
        with self._lock:
            self._free += 1
            self._held[network] -= 1
            if not self._held[network]:
                del self._held[network]
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the free one to the network that has waited longest since it was last given one."""
        for network, turns in self._waiting.items():
            if self._held[network] >= self._of_one:
                continue
            self._free -= 1
            self._held[network] += 1
            turns.popleft().release()
            del self._waiting[network]
            if turns:
                self._waiting[network] = turns
            return
