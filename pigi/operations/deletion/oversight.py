"""What operators see of deletions: each with its steps, when it is due, and whether it is held or overdue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from pigi.clock import now
from pigi.domain.canary import NAME as CANARY
from pigi.domain.deletions import DeletionState
from pigi.operations.access import ORGANISATION
from pigi.operations.deletion.records import DELETION, OPEN, DeletionView, steps_of, view_of
from pigi.operations.retention import LONGEST_PURGE
from pigi.store.holds import HOLD, IS_ACTIVE

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application

MOST = 100


@dataclass(frozen=True)
class DeletionCase:
    """A deletion as operators see it; ``due`` is when its purge should be over, ``name`` that of an organisation."""

    deletion: DeletionView
    name: str | None
    due: datetime
    held: bool
    overdue: bool


_NAME = select(ORGANISATION.c.name).where(ORGANISATION.c.id == DELETION.c.subject_id).scalar_subquery()
_HELD = select(HOLD.c.id).where(HOLD.c.organisation_id == DELETION.c.subject_id, IS_ACTIVE).exists()


def list_deletions(application: Application) -> list[DeletionCase]:
    """The deletions that are under way, the one due first before all; then those done lately, newest first.

    Of the canary's, which are deleted each hour, only what is late: that is news about everybody's.
    """
    columns = (DELETION, _HELD.label("held"), _NAME.label("name"))
    peoples = or_(DELETION.c.requested_by.is_(None), DELETION.c.requested_by != CANARY)
    late = DELETION.c.restorable_until < now() - LONGEST_PURGE
    open_ones = select(*columns).where(OPEN, or_(peoples, late)).order_by(DELETION.c.restorable_until)
    done = select(*columns).where(~OPEN, peoples).order_by(DELETION.c.done_at.desc())
    with application.control.autocommit() as connection:
        rows = [row for query in (open_ones, done) for row in connection.execute(query.limit(MOST)).all()]
        views = [(row, view_of(row, steps_of(connection, row.id))) for row in rows]
    moment = now()
    return [_case(view, row.name, moment, held=bool(row.held)) for row, view in views]


def _case(view: DeletionView, name: str | None, moment: datetime, *, held: bool) -> DeletionCase:
    due = view.restorable_until + LONGEST_PURGE
    late = view.state is not DeletionState.DONE and moment > due
    stopped = held and view.state is DeletionState.GRACE
    return DeletionCase(view, name, due, held=stopped, overdue=late and not stopped)


def late_deletions(application: Application) -> int:
    """How many deletions should be done and are not, but for those that a hold stops."""
    late = (OPEN, DELETION.c.restorable_until < now() - LONGEST_PURGE)
    stopped = (DELETION.c.state == DeletionState.GRACE.value) & _HELD
    with application.control.autocommit() as connection:
        return connection.execute(select(func.count()).select_from(DELETION).where(*late, ~stopped)).scalar_one()
