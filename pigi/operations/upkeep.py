"""Upkeep of the engine's own tables: burial of old jobs, and what is past its period. State-based."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from pigi.clock import now
from pigi.domain.retention import Retention, cutoff
from pigi.jobs.heartbeats import record
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.moves import IS_ENDED, JOB
from pigi.store.control import IdempotencyKey, Job, Tombstone, UsageCount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pigi.jobs.context import JobContext
    from pigi.store.sessions import ControlDatabase

TOMBSTONE: Any = Tombstone.__table__
BATCH = 1000
"""Rows a transaction: on SQLite a longer write would make every writer wait."""


def answer_probe(context: JobContext) -> None:
    """Show that the queue of this probe has a working consumer."""
    with context.control.quick() as connection:
        record(connection, f"queue {context.job.queue}")


def sweep_jobs(context: JobContext) -> None:
    """Bury jobs past their period, and remove tombstones, idempotency keys and counters past theirs."""
    moment = now()
    swept = 0
    for count in _sweep(context.control, moment):
        swept += count
        context.checkpoint()
        context.progress(swept, swept + BATCH, "sweeping")


def _sweep(control: ControlDatabase, moment: datetime) -> Iterator[int]:
    for name, kind in CATALOGUE.items():
        yield from _until_none(lambda n=name, k=kind: bury(control, n, moment - k.row_kept, leave_stone=k.tombstone))
    yield from _until_none(lambda: bury(control, None, cutoff(Retention.JOB, moment), leave_stone=True))
    yield from _until_none(lambda: _remove(control, TOMBSTONE, "buried_at", cutoff(Retention.TOMBSTONE, moment)))
    keys: Any = IdempotencyKey.__table__
    yield from _until_none(lambda: _remove(control, keys, "created_at", cutoff(Retention.IDEMPOTENCY, moment)))
    counters: Any = UsageCount.__table__
    yield from _until_none(lambda: _remove(control, counters, "day", cutoff(Retention.COUNTER, moment).date()))


def _until_none(step: Any) -> Iterator[int]:
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


def _remove(control: ControlDatabase, table: Any, column: str, before: Any) -> int:
    keys = list(table.primary_key.columns)
    with control.transaction() as connection:
        rows = connection.execute(select(*keys).where(table.c[column] < before).limit(BATCH)).all()
        for row in rows:
            same = (key == value for key, value in zip(keys, row, strict=True))
            # Asked again, since a key that is taken over meanwhile is young.
            connection.execute(delete(table).where(*same, table.c[column] < before))
    return len(rows)
