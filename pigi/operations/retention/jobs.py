"""Ended jobs by kind, since kinds differ in how long their rows live and in whether they leave tombstones.

A job whose cleanup is pending stays: its row is what remembers the cleanup.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select

from pigi.clock import now
from pigi.domain.retention import Retention
from pigi.jobs.kinds import kind_of
from pigi.jobs.model.transitions import JOB
from pigi.operations.retention.sweeps import SWEEPS, RemovalMode, Sweep
from pigi.store.control import Job, Tombstone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

TOMBSTONE: Any = Tombstone.__table__
_ENDED = JOB.c.finished_at.is_not(None)
_SHARED = [column.name for column in TOMBSTONE.c if column.name != "buried_at"]


def _oldest_by_kind() -> Any:
    """A statement that walks the index from kind to kind: it costs what kinds cost, however many jobs there are."""
    first = select(func.min(JOB.c.kind).label("kind")).where(_ENDED).cte("kinds", recursive=True)
    following = select(func.min(JOB.c.kind)).where(JOB.c.kind > first.c.kind, _ENDED).scalar_subquery()
    kinds = first.union_all(select(following).where(first.c.kind.is_not(None)))
    oldest = select(func.min(JOB.c.finished_at)).where(JOB.c.kind == kinds.c.kind, _ENDED).scalar_subquery()
    return select(kinds.c.kind, oldest.label("oldest")).where(kinds.c.kind.is_not(None))


OLDEST_BY_KIND = _oldest_by_kind()


def oldest_jobs(connection: Connection) -> dict[str, datetime]:
    """When the oldest ended job of each kind ended, also of kinds that the catalogue no longer has."""
    return {row.kind: row.oldest for row in connection.execute(OLDEST_BY_KIND)}


def job_sweeps(connection: Connection, moment: datetime) -> list[Sweep]:
    """The sweep of jobs, narrowed to the kinds of which some may be due: a sweep for each period and way to go."""
    whole = next(sweep for sweep in SWEEPS if sweep.retention is Retention.JOB)
    ways: dict[tuple[Any, bool], list[str]] = {}
    for name, oldest in oldest_jobs(connection).items():
        kind = kind_of(name)
        if oldest < moment - kind.row_kept:
            ways.setdefault((kind.row_kept, kind.tombstone), []).append(name)
    return [
        replace(
            whole,
            kept=kept,
            mode=RemovalMode.TOMBSTONED if tombstone else RemovalMode.REMOVED,
            among=whole.among & JOB.c.kind.in_(names) & JOB.c.cleanup_at.is_(None),
        )
        for (kept, tombstone), names in ways.items()
    ]


def bury(connection: Connection, jobs: Sequence[str]) -> None:
    """Write the tombstones of these jobs."""
    facts = select(*(JOB.c[name] for name in _SHARED), bindparam("moment", now(), Job.created_at.type))
    connection.execute(insert(TOMBSTONE).from_select([*_SHARED, "buried_at"], facts.where(JOB.c.id.in_(jobs))))
