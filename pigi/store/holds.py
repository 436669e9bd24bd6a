"""Legal holds as sweeps, cleanups and deletions ask for them: which organisations' rows stay beyond their period.

A hold counts from its approval to its release. `lock_holds` keeps the two sides apart: whoever removes rows looks and
removes while no hold can begin, so that nothing goes after an approval was answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.domain.retention import LINKED_BY
from pigi.store.engines import lock_name
from pigi.store.records import Hold

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.domain.retention import Retention

HOLD: Any = Hold.__table__
IS_ACTIVE: Any = HOLD.c.approved_at.is_not(None) & HOLD.c.released_at.is_(None)
LOCK = "holds"


def lock_holds(connection: Connection, *, shared: bool) -> None:
    """Until the transaction ends no hold begins (``shared``, for removing), or nobody removes (for approving)."""
    lock_name(connection, LOCK, shared=shared)


def held_organisations(connection: Connection, retention: Retention) -> list[str]:
    """Whose rows of this class are held, also because rows of a held class lead to their organisation through it."""
    classes = (retention, *LINKED_BY.get(retention, ()))
    query = select(HOLD.c.organisation_id).where(IS_ACTIVE, HOLD.c.retention.in_(classes)).distinct()
    return list(connection.execute(query).scalars())


def is_held(connection: Connection, organisation_id: str, retention: Retention) -> bool:
    """Whether what this organisation has of the class may not go now."""
    return organisation_id in held_organisations(connection, retention)


def active_holds(connection: Connection, organisation_id: str) -> list[str]:
    """The ids of the holds that count for this organisation, of whatever class; while there is one, it stays."""
    query = select(HOLD.c.id).where(IS_ACTIVE, HOLD.c.organisation_id == organisation_id).order_by(HOLD.c.id)
    return list(connection.execute(query).scalars())
