"""The lease heartbeat: a thread of the worker's child that extends the lease of the job at hand.

It also learns that the job was cancelled or its lease lost, and remembers it for the job's next checkpoint. When
the worker stops and the job reaches no checkpoint, the thread hands the job back on its behalf.
"""

from __future__ import annotations

import threading
import time
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from pigi.jobs.execution.claims import check_lease, extend, hand_back
from pigi.jobs.execution.timeouts import HEARTBEAT_SECONDS, LOOK_SECONDS
from pigi.jobs.model.claim import Cancelled, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.model.claim import Claim
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.store.sessions import ControlDatabase


@dataclass(eq=False)
class _Lease:
    """What is known of one claim. Each flag is raised once and never lowered, so nothing here needs a lock."""

    claim: Claim
    cancelled: bool = False
    lost: bool = False


class LeaseHeartbeat:
    """Keeps the lease of one job at a time. Make one after the fork: threads do not survive it.

    Its thread ends once nobody has it any more.
    What a heartbeat learns is kept with the claim it was sent for. So one that is answered late, when the child has
    the next job already, says nothing about that; and nobody waits for the database to begin or end a job.
    """

    def __init__(self, control: ControlDatabase, overdue: Callable[[], bool], notifier: Notifier) -> None:
        """``overdue`` says whether the worker has been stopping for longer than a job may take."""
        self._control = control
        self._notifier = notifier
        self._overdue = overdue
        self._lease: _Lease | None = None
        threading.Thread(target=_run, args=(weakref.ref(self),), name="lease-heartbeat", daemon=True).start()

    def hold(self, held: Claim) -> None:
        """Begin to send heartbeats for this job."""
        self._lease = _Lease(held)

    def let_go(self) -> None:
        """Send no more heartbeats."""
        self._lease = None

    def check(self) -> None:
        """Raise Cancelled or LeaseLost if that was learned of the job at hand."""
        lease = self._lease
        if lease is not None and lease.lost:
            raise LeaseLost
        if lease is not None and lease.cancelled:
            raise Cancelled

    def beat(self) -> None:
        """Send one heartbeat now; raises SQLAlchemyError while the database is away."""
        self._learn(extend)

    def _learn(self, by: Callable[[ControlDatabase, Claim], tuple[bool, bool]]) -> None:
        lease = self._lease
        if lease is None or lease.lost:
            return
        holds, cancelled = by(self._control, lease.claim)
        if not holds:
            lease.lost = True
        if cancelled:
            lease.cancelled = True

    def look(self, beaten_at: float) -> float:
        """Look after the lease, as the thread does each second; returns when the last heartbeat was sent.

        ``beaten_at`` is when that was before; both on the monotonic clock.
        """
        try:
            if self._overdue():
                self._hand_back()
            elif time.monotonic() - beaten_at >= HEARTBEAT_SECONDS:
                self.beat()
                return time.monotonic()
            else:
                self._learn(check_lease)
        except SQLAlchemyError:
            # The database is away. The lease may lapse meanwhile; the token then guards every write.
            return beaten_at
        return beaten_at

    def _hand_back(self) -> None:
        lease = self._lease
        if lease is not None and not lease.lost:
            notifications = hand_back(self._control, lease.claim)
            lease.lost = True
            self._notifier.notify(notifications)


def _run(reference: weakref.ref[LeaseHeartbeat]) -> None:
    """The thread: it holds its heartbeat only while it looks, so that it outlives no worker that let go of it."""
    beaten_at = time.monotonic()
    while True:
        time.sleep(LOOK_SECONDS)
        heartbeat = reference()
        if heartbeat is None:
            return
        beaten_at = heartbeat.look(beaten_at)
        del heartbeat
