"""Heartbeats: a thread of the worker's child that extends the lease of the job at hand.

It also learns that a cancel was asked or the lease lost, and remembers it for the job's next checkpoint.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from pigi.jobs.claim import HEARTBEAT_SECONDS, Claim, extend
from pigi.jobs.stops import Cancelled, LeaseLost

if TYPE_CHECKING:
    from pigi.store.sessions import ControlDatabase


class Keeper:
    """Keeps the lease of one job at a time. Make one after the fork: threads do not survive it."""

    def __init__(self, control: ControlDatabase) -> None:
        self._control = control
        self._held: Claim | None = None
        self._stop: type[Cancelled | LeaseLost] | None = None
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)
        self._thread.start()

    def hold(self, held: Claim) -> None:
        """Begin to send heartbeats for this job."""
        self._stop = None
        self._held = held

    def let_go(self) -> None:
        """Send no more heartbeats."""
        self._held = None

    def check(self) -> None:
        """Raise Cancelled or LeaseLost if a heartbeat said so."""
        if self._stop is not None:
            raise self._stop

    def beat(self) -> None:
        """Send one heartbeat now."""
        held = self._held
        if held is None:
            return
        with self._control.quick() as connection:
            holds, cancelled = extend(connection, held)
        if held is self._held:
            self._stop = Cancelled if holds and cancelled else None if holds else LeaseLost

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait(HEARTBEAT_SECONDS)
            try:
                self.beat()
            except SQLAlchemyError:
                # The database is away. The lease may lapse meanwhile; the token then guards every write.
                continue
