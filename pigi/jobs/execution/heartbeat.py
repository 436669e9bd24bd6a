"""Heartbeats: a thread of the worker's child that extends the lease of the job at hand.

It also learns that a cancel was asked or the lease lost, and remembers it for the job's next checkpoint. When
the worker stops and the job reaches no checkpoint, the keeper hands the job back on its behalf.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from pigi.jobs.execution.claims import HEARTBEAT_SECONDS, extend, hand_back
from pigi.jobs.model.claim import Cancelled, Claim, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.store.sessions import ControlDatabase

LOOK_SECONDS = 1.0


class LeaseHeartbeat:
    """Keeps the lease of one job at a time. Make one after the fork: threads do not survive it."""

    def __init__(self, control: ControlDatabase, overdue: Callable[[], bool]) -> None:
        """``overdue`` says whether the worker has been stopping for longer than a job may take."""
        self._control = control
        self._overdue = overdue
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
        with self._control.autocommit() as connection:
            holds, cancelled = extend(connection, held)
        if held is self._held:
            self._stop = Cancelled if holds and cancelled else None if holds else LeaseLost

    def _run(self) -> None:
        beaten_at = time.monotonic()
        while True:
            with self._wake:
                self._wake.wait(LOOK_SECONDS)
            try:
                if self._overdue():
                    self._hand_back()
                elif time.monotonic() - beaten_at >= HEARTBEAT_SECONDS:
                    beaten_at = time.monotonic()
                    self.beat()
            except SQLAlchemyError:
                # The database is away. The lease may lapse meanwhile; the token then guards every write.
                continue

    def _hand_back(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self._stop = LeaseLost
            hand_back(self._control, held)
