"""How a web process spends its threads, in one place.

The server holds one thread for each request that it answers. A stream or a wait holds its thread for
seconds or minutes and costs little but memory meanwhile; so there are many threads, most of them for
patience, and each who is patient takes a place first. Ordinary requests have threads that no stream and no
wait can hold, and few work at once: more would only fight over the interpreter and over connections.
"""

from __future__ import annotations

import threading

WORKERS = 2
"""Web processes."""
STREAMS = 256
"""Event streams that may stay open a process; more get a brief stream and come back."""
WAITS = 16
"""Requests a process that may wait for their job (``Prefer: wait``); more are answered at once."""
ORDINARY = 12
"""Requests with a key that a process works on at once; more wait their turn."""
READERS = 4
"""Streams and waits that may read the databases at once; with `ORDINARY`, no more than the control pool holds."""
SPARE = 4
"""Threads for health and pages, which take no turn."""
THREADS = STREAMS + WAITS + ORDINARY + SPARE
"""Threads a process, made on demand; the server lets idle ones go."""


class Slot:
    """A thread's worth of patience; give it back exactly once or more often, only the first time counts."""

    def __init__(self, places: Slots) -> None:
        self._places: Slots | None = places

    def give_back(self) -> None:
        """Free the place."""
        places, self._places = self._places, None
        if places is not None:
            places.put_back()


class Slots:
    """A fixed number of places."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self.count = self.free = count

    @property
    def taken(self) -> int:
        """How many are in use."""
        return self.count - self.free

    def take(self) -> Slot | None:
        """A place, or None when all are taken; never waits."""
        with self._lock:
            if self.free <= 0:
                return None
            self.free -= 1
        return Slot(self)

    def put_back(self) -> None:
        """Count one place as free again."""
        with self._lock:
            self.free += 1


class Turns:
    """So many at a time; the rest wait. ``with turns:`` takes a turn, ``with turns.aside():`` lets others by."""

    def __init__(self, count: int) -> None:
        self._semaphore = threading.Semaphore(count)

    def __enter__(self) -> None:
        self._semaphore.acquire()

    def __exit__(self, *_exception: object) -> None:
        self._semaphore.release()

    def aside(self) -> Aside:
        """The inverse: whoever has a turn steps aside for the length of a block."""
        return Aside(self._semaphore)


class Aside:
    """See `Turns.aside`."""

    def __init__(self, semaphore: threading.Semaphore) -> None:
        self._semaphore = semaphore

    def __enter__(self) -> None:
        self._semaphore.release()

    def __exit__(self, *_exception: object) -> None:
        self._semaphore.acquire()
