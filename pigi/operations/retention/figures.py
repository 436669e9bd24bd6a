"""What there is of each class, by the conditions that sweeps go by: the oldest row, what is due, what is held.

Each number costs a look at the end of an index, or what is due; none counts all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, not_, select

from pigi.domain.retention import GRACE, RETRYABLE, Retention, cutoff, keep
from pigi.jobs.kinds import CATALOGUE, kind_of
from pigi.jobs.model.transitions import IS_ENDED, JOB
from pigi.operations.retention.jobs import job_sweeps, oldest_jobs
from pigi.operations.retention.ownership import BELONGS, audited, free
from pigi.operations.retention.running import heartbeat
from pigi.operations.retention.sweeps import SWEEP_INTERVAL, SWEEPS, Sweep
from pigi.store.control import Organisation
from pigi.store.exports import Export
from pigi.store.holds import HOLD, IS_ACTIVE, held_organisations
from pigi.store.ledgers import AuditContent, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from pigi.jobs.kind import Kind

EXPORT: Any = Export.__table__
SWEPT_AT = {sweep.retention: sweep for sweep in SWEEPS}


@dataclass(frozen=True)
class Figures:
    """What there is of a class now.

    Attributes:
        oldest: when the period of the oldest row began, for organisations the oldest deletion that is not done; None
            if there is none or the class has no period.
        due: rows that shall go and that no hold keeps.
        held: rows that would go if no hold kept them.
        late: when the period of the oldest row began that no hold keeps.
        pending: how many ended jobs have yet to erase something of the class; None for a class that is in rows.
    """

    oldest: datetime | None = None
    due: int = 0
    held: int = 0
    late: datetime | None = None
    pending: int | None = None


@dataclass(frozen=True)
class Look:
    """One look at the database. ``holds`` counts those that count, by class; ``swept`` is what heartbeats say."""

    connection: Connection
    moment: datetime
    holds: dict[str, int]
    swept: dict[str, tuple[datetime, str | None]]


def figures(look: Look, retention: Retention) -> Figures:
    """What there is of a class."""
    measure = MEASURES.get(retention)
    if measure is not None:
        return measure(look)
    if retention in SWEPT_AT:
        return _of_rows(look, SWEPT_AT[retention])
    kinds = [kind for kind in CATALOGUE.values() if retention in kind.erases]
    return _pending_erasure(look, retention, kinds) if kinds else Figures()


def _of_rows(look: Look, sweep: Sweep) -> Figures:
    held = held_organisations(look.connection, sweep.retention)
    unheld = free(sweep.retention, held)
    oldest = _oldest(look.connection, sweep)
    due = sweep.due(look.moment)
    counts = [number(look.connection, sweep.table, *due, *unheld)]
    if held:
        counts.append(number(look.connection, sweep.table, *due, BELONGS[sweep.retention](held)))
    late = _oldest(look.connection, sweep, *unheld) if held else oldest
    return Figures(oldest, counts[0], sum(counts[1:]), late)


def _oldest(connection: Connection, sweep: Sweep, *more: Any) -> datetime | None:
    """When the period of the oldest row began; a look at the end of an index, where there is one."""
    firsts = [
        connection.execute(select(func.min(age)).select_from(sweep.table).where(*sweep.rows, *more)).scalar()
        for age in sweep.ages
    ]
    found = [sweep.time_format.read(first) for first in firsts if first is not None]
    return min(found, default=None)


def _of_jobs(look: Look) -> Figures:
    whole = [at for name, at in oldest_jobs(look.connection).items() if kind_of(name).tombstone]
    held = held_organisations(look.connection, Retention.JOB)
    unheld = free(Retention.JOB, held)
    due = kept = 0
    for sweep in job_sweeps(look.connection, look.moment):
        due += number(look.connection, JOB, *sweep.due(look.moment), *unheld)
        kept += number(look.connection, JOB, *sweep.due(look.moment), BELONGS[Retention.JOB](held)) if held else 0
    oldest = min(whole, default=None)
    if not held:
        return Figures(oldest, due, kept, oldest)
    return Figures(oldest, due, kept, _oldest(look.connection, SWEPT_AT[Retention.JOB], *unheld))


def _of_audit(look: Look) -> Figures:
    """A held entry keeps all later ones, and the contents of those that are not held are erased at their time."""
    sweep, held = SWEPT_AT[Retention.AUDIT], held_organisations(look.connection, Retention.AUDIT)
    if not held:
        return _of_rows(look, sweep)
    kept = audited(held)
    first = look.connection.execute(select(func.min(AuditContent.seq)).where(kept)).scalar()
    before = () if first is None else (AuditEntry.seq < first,)
    due = sweep.due(look.moment)
    late = _oldest(look.connection, sweep, *before)
    all_due = number(look.connection, sweep.table, *due)
    free_due = number(look.connection, sweep.table, *due, *before)
    return Figures(_oldest(look.connection, sweep), free_due, all_due - free_due, late)


def _of_deletions(look: Look) -> Figures:
    """When the oldest deletion that is not done was requested (P26), and how many are past their grace."""
    asked = Organisation.deletion_at
    query = select(HOLD.c.organisation_id).where(IS_ACTIVE).distinct()
    held: Sequence[str] = look.connection.execute(query).scalars().all()
    table, unheld = Organisation.__table__, (Organisation.id.not_in(held),) if held else ()
    over = asked < look.moment - GRACE
    oldest, late = (
        look.connection.execute(select(func.min(asked)).where(*conditions)).scalar() for conditions in ((), unheld)
    )
    kept = number(look.connection, table, over, Organisation.id.in_(held)) if held else 0
    return Figures(oldest, number(look.connection, table, over, *unheld), kept, late)


def _of_files(look: Look) -> Figures:
    """Export files that lie there, by their records."""
    held = held_organisations(look.connection, Retention.EXPORT)
    ready, unheld = EXPORT.c.state == "ready", free(Retention.EXPORT, held)
    over = (ready, EXPORT.c.expires_at < look.moment)
    first, late = (
        look.connection.execute(select(func.min(EXPORT.c.expires_at)).where(ready, *more)).scalar()
        for more in ((), unheld)
    )
    kept = number(look.connection, EXPORT, *over, BELONGS[Retention.EXPORT](held)) if held else 0
    began = [None if at is None else at - keep(Retention.EXPORT) for at in (first, late)]
    return Figures(began[0], number(look.connection, EXPORT, *over, *unheld), kept, began[1])


def _of_erasures(look: Look) -> Figures:
    """The erasure log is no table: its sweep leaves its oldest day."""
    _, note = look.swept.get(heartbeat(Retention.ERASURE), (None, None))
    days = (note or "").split()[1:]
    oldest = datetime.combine(date.fromisoformat(days[0]) + timedelta(days=1), time(), UTC) if days else None
    due = int(oldest is not None and oldest < cutoff(Retention.ERASURE, look.moment))
    return Figures(oldest, due, 0, oldest)


def _pending_erasure(look: Look, retention: Retention, kinds: list[Kind]) -> Figures:
    """Of a class within organisations' databases, which are not opened: ended jobs whose erasing cleanup is pending."""
    moment, connection = look.moment, look.connection
    pending = JOB.c.kind.in_([kind.name for kind in kinds]) & IS_ENDED & JOB.c.cleanup_at.is_not(None)
    if keep(retention) == timedelta(0):
        # Due at once. A cleanup of a later day is of what is kept longer; so, at first, is one that became due then.
        # One that is held while it runs looks as if it were of a later time, but for its place.
        pending &= (JOB.c.cleanup_at <= moment) | (JOB.c.cleanup_failures > 0) | JOB.c.published_at.is_not(None)
        for later in {other for kind in kinds for other in kind.erases if other is not retention}:
            since = moment - keep(later)
            pending &= ~JOB.c.finished_at.between(since - SWEEP_INTERVAL, since)
    # What a failed job needs for a retry by hand is kept longer, and its cleanup comes due then.
    waits = (JOB.c.state == "failed") & (JOB.c.cleanup_at > moment) & (JOB.c.finished_at > moment - RETRYABLE)
    begun = pending & ~(waits & (JOB.c.cleanup_failures == 0) & JOB.c.published_at.is_(None))
    held = JOB.c.organisation_id.in_(held_organisations(connection, retention))
    oldest, late = (
        connection.execute(select(func.min(JOB.c.finished_at)).where(begun, *more)).scalar()
        for more in ((), (not_(held),))
    )
    over = begun & (JOB.c.finished_at <= moment - keep(retention))
    due, kept = number(connection, JOB, over, not_(held)), number(connection, JOB, over, held)
    return Figures(oldest, due, kept, late, number(connection, JOB, pending))


def number(connection: Connection, table: Any, *conditions: Any) -> int:
    """How many rows the conditions find."""
    return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())


MEASURES: dict[Retention, Callable[[Look], Figures]] = {
    Retention.JOB: _of_jobs,
    Retention.AUDIT: _of_audit,
    Retention.ORGANISATION: _of_deletions,
    Retention.EXPORT: _of_files,
    Retention.ERASURE: _of_erasures,
}
"""Classes that are not simply the rows of a sweep's table."""
