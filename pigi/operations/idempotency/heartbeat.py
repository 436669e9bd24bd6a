"""The heartbeat of reservations: while a process acts for an Idempotency-Key, it shows that it is alive.

So the death of an owner is noticed within seconds, and a slow act is not taken for dead.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.operations.idempotency.reservations import Reservation

EVERY_SECONDS = 2.0
"""Between two beats: several fit into `pigi.operations.idempotency.reservations.ABANDONED`."""
LONGEST_SECONDS = 60.0
"""Age from which a reservation is no longer renewed: far above what a request may take, so its thread hangs."""


class ReservationHeartbeat:
    """Renews the reservations of one process. Its thread starts with the first one, after any fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[Reservation, float]] = {}
        self._some, self._closed = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def holding(self, reservation: Reservation) -> Iterator[None]:
        """Renew the reservation for the length of a block."""
        with self._lock:
            self._held[reservation.token] = reservation, time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pigi-reservations", daemon=True)
                self._thread.start()
        self._some.set()
        try:
            yield
        finally:
            with self._lock:
                del self._held[reservation.token]
                if not self._held:
                    self._some.clear()

    def beat(self) -> None:
        """Renew what is held; a database that does not answer is tried again at the next beat."""
        oldest = time.monotonic() - LONGEST_SECONDS
        with self._lock:
            held = [reservation for reservation, since in self._held.values() if since > oldest]
        for reservation in held:
            try:
                reservation.renew()
            except Exception:  # noqa: BLE001 - whatever it was, the next beat may succeed, and the token guards the rest
                return

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._some.set()

    def _run(self) -> None:
        while True:
            self._some.wait()
            if self._closed.wait(EVERY_SECONDS):
                return
            self.beat()
