"""Deletions as rows: opening one with its steps, finding it, moving it on, and what its owners and operators see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from pigi.clock import now
from pigi.domain.deletions import SEARCH, DeletionScope, DeletionState, StepState, sources
from pigi.domain.retention import FINAL_WITHIN, GRACE
from pigi.ids import new_id
from pigi.store.deletions import Deletion, DeletionStep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

DELETION: Any = Deletion.__table__
STEP: Any = DeletionStep.__table__
OPEN = DELETION.c.state != DeletionState.DONE.value


@dataclass(frozen=True)
class StepView:
    """A step as it is shown; ``count`` is how much it removed so far, of the search, what it found."""

    name: str
    state: StepState
    done_at: datetime | None
    count: int


@dataclass(frozen=True)
class DeletionView:
    """A deletion as it is shown; ``subject_id`` is None once nothing of it is left."""

    id: str
    receipt_id: str
    scope: DeletionScope
    subject_id: str | None
    state: DeletionState
    requested_at: datetime
    restorable_until: datetime
    final_by: datetime
    done_at: datetime | None
    steps: tuple[StepView, ...]


def open_deletion(  # noqa: PLR0913 - a deletion's facts, each named at the call
    connection: Connection,
    scope: DeletionScope,
    subject_id: str,
    requested_by: str,
    steps: Iterable[str],
    *,
    part_of: str | None = None,
    requested_at: datetime | None = None,
) -> str:
    """Begin a deletion's grace in the caller's transaction; returns its id.

    Args:
        connection: of the transaction that closes what is to be deleted.
        scope: what it is of.
        subject_id: of which organisation or account.
        requested_by: who asked, as rows name them.
        steps: the names of its steps in order, without the final search.
        part_of: the account's deletion that takes this organisation along.
        requested_at: when, if not now.
    """
    moment, deletion_id = requested_at or now(), new_id()
    connection.execute(
        insert(DELETION).values(
            id=deletion_id,
            receipt_id=new_id(),
            scope=scope.value,
            subject_id=subject_id,
            part_of=part_of,
            state=DeletionState.GRACE.value,
            requested_by=requested_by,
            requested_at=moment,
            restorable_until=moment + GRACE,
            final_by=moment + FINAL_WITHIN,
        )
    )
    names = [*steps, SEARCH]
    waiting = {"deletion_id": deletion_id, "state": StepState.WAITING.value, "count": 0}
    rows = [{**waiting, "name": name, "position": place} for place, name in enumerate(names)]
    connection.execute(insert(STEP), rows)
    return deletion_id


def call_off(connection: Connection, scope: DeletionScope, subject_id: str) -> str | None:
    """Remove the deletion in its grace: it was undone. Its id; None if there is none, or no way back."""
    found = select(DELETION.c.id).where(
        DELETION.c.scope == scope.value,
        DELETION.c.subject_id == subject_id,
        DELETION.c.state == DeletionState.GRACE.value,
    )
    deletion_id: str | None = connection.execute(found.with_for_update()).scalar()
    if deletion_id is not None:
        connection.execute(delete(STEP).where(STEP.c.deletion_id == deletion_id))
        connection.execute(delete(DELETION).where(DELETION.c.id == deletion_id))
    return deletion_id


def move(connection: Connection, deletion_id: str, target: DeletionState, **values: Any) -> bool:
    """Move a deletion on from where the table of moves allows it; False if it stands elsewhere."""
    this = (DELETION.c.id == deletion_id) & DELETION.c.state.in_(sources(target))
    moved = update(DELETION).where(this).values(state=target.value, **values)
    return int(connection.execute(moved).rowcount) == 1


def row_of(connection: Connection, deletion_id: str) -> Any:
    """The deletion's row; None if there is none."""
    return connection.execute(select(DELETION).where(DELETION.c.id == deletion_id)).first()


def deletion_of(connection: Connection, scope: DeletionScope, subject_id: str) -> DeletionView | None:
    """The deletion of this organisation or account that is under way; None if there is none."""
    of = (DELETION.c.scope == scope.value, DELETION.c.subject_id == subject_id, OPEN)
    row = connection.execute(select(DELETION).where(*of).order_by(DELETION.c.id.desc()).limit(1)).first()
    return None if row is None else view_of(row, steps_of(connection, row.id))


def steps_of(connection: Connection, deletion_id: str) -> tuple[StepView, ...]:
    """The steps of a deletion in their order."""
    query = (
        select(STEP, STEP.c.count.label("removed")).where(STEP.c.deletion_id == deletion_id).order_by(STEP.c.position)
    )
    rows = connection.execute(query)
    return tuple(StepView(row.name, StepState(row.state), row.done_at, row.removed) for row in rows)


def view_of(row: Any, steps: tuple[StepView, ...]) -> DeletionView:
    """The view of a deletion's row."""
    return DeletionView(
        row.id,
        row.receipt_id,
        DeletionScope(row.scope),
        row.subject_id,
        DeletionState(row.state),
        row.requested_at,
        row.restorable_until,
        row.final_by,
        row.done_at,
        steps,
    )
