"""Upkeep of the control database: burial of old jobs, and all sweeps of `pigi.operations.sweeps`. State-based."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from pigi.clock import now
from pigi.domain.retention import Retention, cutoff
from pigi.jobs.heartbeats import record
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.moves import IS_ENDED, JOB
from pigi.operations import audit_anchors
from pigi.operations.sweeps import BATCH, SWEEPS, How, remove
from pigi.store.control import Job, Tombstone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pigi.application import Application
    from pigi.jobs.context import JobContext
    from pigi.operations.sweeps import Sweep
    from pigi.store.sessions import ControlDatabase

TOMBSTONE: Any = Tombstone.__table__


def answer_probe(context: JobContext) -> None:
    """Show that the queue of this probe has a working consumer."""
    with context.control.quick() as connection:
        record(connection, f"queue {context.job.queue}")


def sweep_jobs(context: JobContext, application: Application) -> None:
    """Remove whatever is past its period, class by class; raises Permanent ``audit_broken``, after the rest."""
    moment = now()
    swept = 0
    for sweep in SWEEPS:
        for count in _sweep(application, sweep, moment):
            swept += count
            context.checkpoint()
            context.progress(swept, swept + BATCH, "sweeping")


def _sweep(application: Application, sweep: Sweep, moment: datetime) -> Iterator[int]:
    if sweep.how is How.BURIED:
        yield from _burials(application.control, moment)
    elif sweep.how is How.PRUNED:
        yield from _until_none(partial(audit_anchors.prune, application, cutoff(sweep.retention, moment), BATCH))
    else:
        yield from _until_none(partial(remove, application.control, sweep, moment))


def _burials(control: ControlDatabase, moment: datetime) -> Iterator[int]:
    for name, kind in CATALOGUE.items():
        yield from _until_none(partial(bury, control, name, moment - kind.row_kept, leave_stone=kind.tombstone))
    yield from _until_none(partial(bury, control, None, cutoff(Retention.JOB, moment), leave_stone=True))


def _until_none(step: Callable[[], int]) -> Iterator[int]:
    while count := step():
        yield count


def bury(control: ControlDatabase, kind: str | None, before: datetime, *, leave_stone: bool) -> int:
    """Turn a batch of ended jobs of one kind into tombstones (or nothing); returns how many.

    None stands for all kinds that the catalogue no longer has. A job that still owes a putting-away is not
    buried: its row is what remembers the debt.
    """
    which = JOB.c.kind.not_in(list(CATALOGUE)) if kind is None else JOB.c.kind == kind
    due = select(JOB.c.id).where(which, IS_ENDED, JOB.c.finished_at < before, JOB.c.close_at.is_(None)).limit(BATCH)
    with control.transaction() as connection:
        chosen: Sequence[str] = connection.execute(due.with_for_update(skip_locked=True)).scalars().all()
        if chosen and leave_stone:
            shared = [column.name for column in TOMBSTONE.c if column.name != "buried_at"]
            rows = select(*(JOB.c[name] for name in shared), bindparam("moment", now(), Job.created_at.type))
            connection.execute(insert(TOMBSTONE).from_select([*shared, "buried_at"], rows.where(JOB.c.id.in_(chosen))))
        if chosen:
            connection.execute(delete(JOB).where(JOB.c.id.in_(chosen)))
    return len(chosen)
