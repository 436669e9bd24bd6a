"""How a web process spends its threads, in one place.

The server holds one thread for each request that it answers. Whoever waits (for events, for a job, for a
body that a client sends slowly, for another request with the same key) holds a thread for seconds or minutes
and costs little but memory meanwhile. So there are many threads, most of them for waiting, and each sort of
waiting has a number of slots. Ordinary requests have threads that no waiting can hold, and few of them work at
once, by permits: more would only fight over the interpreter and over connections. None is held while waiting.
"""

from __future__ import annotations

import threading

WORKERS = 2
"""Web processes."""
STREAMS = 256
"""Event streams that may stay open a process; more get a brief stream and come back."""
WAITS = 16
"""Requests a process that may wait for their job (``Prefer: wait``); more are answered at once."""
BODIES = 64
"""Requests a process whose body is being received; one more, and the one that takes longest is given up."""
LARGE_BODIES = 16
"""Requests a process that hold a body of megabytes, from its first byte to their answer; one more, and the one that
takes longest to arrive is given up, or it is told to come again."""
REPEATS = 64
"""Repeats of an Idempotency-Key a process that may wait for its first request; more are told to come again."""
DOWNLOADS = 32
"""Files a process that may be on their way to their clients; more are told to come again."""
ORDINARY = 12
"""Requests of known callers that a process works on at once; more wait for a permit."""
WAITER_READS = 4
"""Whoever waits and looks at the databases at once; with `ORDINARY`, no more than the control pool holds."""
UNMETERED = 4
"""Threads for health and pages, which take no permit."""
UPLOADS = 8
"""Uploads of files a process; one more is told to come again."""
THREADS = STREAMS + WAITS + BODIES + REPEATS + DOWNLOADS + UPLOADS + ORDINARY + UNMETERED
"""Threads a process, made on demand; the server lets idle ones go."""


class Slot:
    """The right to hold a thread while waiting. Give it back: how often does not matter, it counts once."""

    def __init__(self, slots: Slots) -> None:
        self._slots: Slots | None = slots

    def give_back(self) -> None:
        """Free the slot."""
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.put_back()


class Slots:
    """A fixed number of slots."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self.count = self.free = count

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self.count - self.free

    def take(self) -> Slot | None:
        """A slot, or None when all are taken; never waits."""
        with self._lock:
            if self.free <= 0:
                return None
            self.free -= 1
        return Slot(self)

    def put_back(self) -> None:
        """Count one slot as free again."""
        with self._lock:
            self.free += 1


class Permits:
    """A semaphore: so many at a time, the rest wait. ``with permits.released():`` lets others by for a block."""

    def __init__(self, count: int) -> None:
        self._semaphore = threading.Semaphore(count)

    def __enter__(self) -> None:
        self._semaphore.acquire()

    def __exit__(self, *_exception: object) -> None:
        self._semaphore.release()

    def released(self) -> ReleasedPermit:
        """The inverse: whoever has a permit gives it up for the length of a block."""
        return ReleasedPermit(self._semaphore)


class ReleasedPermit:
    """See `Permits.released`."""

    def __init__(self, semaphore: threading.Semaphore) -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        self._semaphore.release()

    def __exit__(self, *_exception: object) -> None:
        self._semaphore.acquire()
