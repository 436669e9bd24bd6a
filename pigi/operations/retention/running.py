"""Sweeps as they run: as a job a class, from the command line, and as the previous release's one job for all.

After each sweep the part heartbeat ``swept CLASS`` holds how many rows went, and on the erasure log its oldest day.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pigi.clock import now
from pigi.domain.retention import SWEPT, Retention
from pigi.jobs.execution.isolation import Isolation
from pigi.jobs.heartbeats import record
from pigi.operations.retention.jobs import TOMBSTONE
from pigi.operations.retention.removal import batches, oldest_erasure
from pigi.operations.retention.sweeps import SWEEPS
from pigi.store.bytes import clear_bytes
from pigi.store.control import Effect
from pigi.store.deletions import DeletionStep
from pigi.store.engines import is_sqlite
from pigi.store.ledgers import AuditContent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlDatabase

ALONG: dict[Retention, tuple[Any, ...]] = {
    Retention.JOB: (Effect.__table__, TOMBSTONE),
    Retention.AUDIT: (AuditContent.__table__,),
    Retention.DELETION: (DeletionStep.__table__,),
}
"""Tables whose rows go, or come, with those of a class."""


def answer_probe(context: JobContext) -> None:
    """Show that the queue of this probe has a working consumer."""
    with context.control.autocommit() as connection:
        record(connection, f"queue {context.job.queue}")


def sweep_class(context: JobContext, application: Application, retention: Retention) -> None:
    """Remove whatever of a class is past its period, as a job. Raises as `run_sweep`."""
    swept = 0

    def after_batch(count: int) -> None:
        nonlocal swept
        swept += count
        context.checkpoint()
        context.progress(swept, swept + 1, "sweeping")

    run_sweep(application, retention, after_batch)


def sweep_jobs(context: JobContext, application: Application) -> None:
    """Sweep every class in one job, as the previous release did.

    A class that fails stops no other; what failed first is raised after the rest, as Permanent ``audit_broken``.
    """
    isolation = Isolation("retention")
    for retention in SWEPT:
        with isolation.of(retention):
            sweep_class(context, application, retention)
    isolation.report(len(SWEPT))
    if isolation.first is not None:
        raise isolation.first


def run_sweep(
    application: Application, retention: Retention, after_batch: Callable[[int], object] = lambda _count: None
) -> int:
    """Remove whatever of a class is past its period now, and clear its bytes; how many rows went.

    Args:
        application: whose rows.
        retention: one of `SWEPT`.
        after_batch: called with the number of rows of each batch; may raise to stop.

    Raises what kept a row from being removed, after all others are gone: see `removal.batches`.
    """
    removed = 0
    pace = Pace(application.control)
    try:
        for count in batches(application, retention, now()):
            removed += count
            after_batch(count)
            pace.rest()
    finally:
        if removed:
            clear_bytes(application.control, _tables(retention))
    oldest = oldest_erasure(application) if retention is Retention.ERASURE else None
    with application.control.autocommit() as connection:
        record(connection, heartbeat(retention), f"{removed} {oldest or ''}".strip())
    return removed


def heartbeat(retention: Retention) -> str:
    """The name under which a class's sweep says when it was last whole."""
    return f"swept {retention}"


def _tables(retention: Retention) -> Iterator[Any]:
    yield from (sweep.table for sweep in SWEEPS if sweep.retention is retention)
    yield from ALONG.get(retention, ())


class Pace:
    """Leaves room for other writers, which on SQLite can only write while a sweep does not."""

    REST_SECONDS = 0.005
    """Long enough for a waiting writer to come by: SQLite's busy handler sleeps for 1, 2, 5, 10 ms and more."""
    UNSEEN = 8
    """Batches for which nobody is expected after nobody was seen. A writer that never comes by is never seen."""

    def __init__(self, control: ControlDatabase) -> None:
        self._control = control
        self._batches = 0
        # Somebody who waits to write is seen only once they could.
        self._busy_until = self.UNSEEN
        self._seen = self._commits_of_others()

    def rest(self) -> None:
        """Called between batches."""
        if self._seen is None:
            return
        self._batches += 1
        before, self._seen = self._seen, self._commits_of_others()
        if self._seen != before:
            self._busy_until = self._batches + self.UNSEEN
        if self._batches <= self._busy_until or self._batches % self.UNSEEN == 0:
            time.sleep(self.REST_SECONDS)

    def _commits_of_others(self) -> int | None:
        """A number that changes when another connection commits; None where writers do not wait for each other.

        SQLite's documentation, "PRAGMA data_version": it is each connection's own, and the pool hands out that one
        which was used last. Another one's number makes a rest too many.
        """
        with self._control.autocommit() as connection:
            if not is_sqlite(connection):
                return None
            return int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
