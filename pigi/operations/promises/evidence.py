"""The evidence as rows: what was found of each control last, and keeping what is found now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from pigi.clock import now
from pigi.domain.controls import Outcome
from pigi.store.promises import NEWEST, EvidenceRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application

EVIDENCE: Any = EvidenceRow.__table__


def newest_rows(application: Application) -> dict[str, Any]:
    """The newest row of every control that has one, by its name."""
    with application.control.autocommit() as connection:
        return {row.control: row for row in connection.execute(select(EVIDENCE).where(EVIDENCE.c.id.in_(NEWEST)))}


def keep(application: Application, name: str, outcome: Outcome, found: str, valid_until: datetime) -> Outcome | None:
    """Prolong the newest row if it says the same and is of today, else begin one: so rows stay few.

    Returns the outcome before, None if there was none.
    """
    moment = now()
    with application.control.transaction() as connection:
        row = _newest(connection, name)
        values = {"found": found, "checked_at": moment, "valid_until": valid_until, "trouble": None}
        if row is not None and row.outcome == outcome and row.began_at.date() == moment.date():
            connection.execute(update(EVIDENCE).where(EVIDENCE.c.id == row.id).values(values))
        else:
            _begin(connection, control=name, outcome=outcome.value, began_at=moment, **values)
    return None if row is None else Outcome(row.outcome)


def note_trouble(application: Application, name: str, trouble: str) -> None:
    """Keep the class of error that kept a check from a finding: beside what was found before, or alone."""
    moment, why = now(), trouble[:120]
    with application.control.transaction() as connection:
        row = _newest(connection, name)
        if row is not None:
            connection.execute(update(EVIDENCE).where(EVIDENCE.c.id == row.id).values(trouble=why))
        else:
            times = dict.fromkeys(("began_at", "checked_at", "valid_until"), moment)
            _begin(connection, control=name, outcome=Outcome.NOTHING.value, found="", trouble=why, **times)


def _newest(connection: Connection, name: str) -> Any:
    newest = select(func.max(EVIDENCE.c.id)).where(EVIDENCE.c.control == name).scalar_subquery()
    return connection.execute(select(EVIDENCE).where(EVIDENCE.c.id == newest)).one_or_none()


def _begin(connection: Connection, **values: Any) -> None:
    connection.execute(insert(EVIDENCE).values(values))
