"""Legal holds: an operator adds one, another one approves it, and either releases it. It counts in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from pigi.clock import now
from pigi.domain.limits import is_line
from pigi.domain.retention import HOLD_REVIEW, NEVER_HELD, Retention
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.audit import record
from pigi.store.control import Organisation
from pigi.store.holds import HOLD, lock_holds

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

    OnMade = Callable[[ControlSession, str], None]
    OnDone = Callable[[ControlSession], None]

REASON_LENGTH = 500
"""Characters of the reason."""
HOLDABLE = tuple(retention for retention in Retention if retention not in NEVER_HELD)


@dataclass(frozen=True)
class HoldView:
    """A hold. ``state`` is proposed, active or released; ``overdue`` says that its review should have been."""

    id: str
    organisation_id: str
    retention: str
    reason: str
    state: str
    review_on: date
    overdue: bool
    added_by: str
    added_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    released_by: str | None
    released_at: datetime | None


@dataclass(frozen=True)
class NewHold:
    """What a hold shall be: ``retention`` is the name of a class, ``review_on`` the day to look again."""

    organisation_id: str
    retention: str
    reason: str
    review_on: date


def _ignore(*_facts: object) -> None:
    """For a command, which owes nobody a record."""


def add_hold(application: Application, operator: str, hold: NewHold, on_made: OnMade = _ignore) -> str:
    """Propose a hold as ``operator:ID``; its id. It counts once another operator approves it.

    Raises Refused: ``not_found`` for an organisation that is not there, ``hold_class_unfit``, ``hold_reason_unfit``,
        ``hold_review_unfit``.
    """
    today = now().date()
    if hold.retention not in set(HOLDABLE):
        raise Refused("hold_class_unfit")
    if not is_line(hold.reason, REASON_LENGTH):
        raise Refused("hold_reason_unfit")
    if not today <= hold.review_on <= today + HOLD_REVIEW:
        raise Refused("hold_review_unfit")
    row = {"id": new_id(), **vars(hold), "added_by": operator, "added_at": now()}
    with application.control.begin() as session:
        there = select(Organisation.id).where(Organisation.id == hold.organisation_id).with_for_update()
        if not is_id(hold.organisation_id) or session.execute(there).first() is None:
            raise Refused("not_found", sought=f"organisation {hold.organisation_id}")
        session.connection().execute(insert(HOLD).values(row))
        _audit(session, application, "hold.added", operator, row)
        on_made(session, str(row["id"]))
    return str(row["id"])


def approve_hold(application: Application, operator: str, hold_id: str, on_done: OnDone = _ignore) -> HoldView:
    """Let a hold count from now on: whatever is removed later is not of what it covers.

    Raises Refused: ``not_found``, ``hold_needs_another`` to whoever added it, ``hold_over`` if it is not proposed.
    """
    with application.control.begin() as session:
        lock_holds(session.connection(), shared=False)
        row = _locked(session, hold_id)
        if row.approved_at is not None or row.released_at is not None:
            raise Refused("hold_over")
        if row.added_by == operator:
            raise Refused("hold_needs_another")
        _set(session, hold_id, approved_by=operator, approved_at=now())
        _audit(session, application, "hold.approved", operator, row._asdict())
        on_done(session)
    return read_hold(application, hold_id)


def release_hold(application: Application, operator: str, hold_id: str, on_done: OnDone = _ignore) -> HoldView:
    """End a hold, or withdraw one that nobody approved; the next sweeps remove what is over its period.

    Raises Refused: ``not_found``, ``hold_over`` if it was released.
    """
    with application.control.begin() as session:
        row = _locked(session, hold_id)
        if row.released_at is not None:
            raise Refused("hold_over")
        _set(session, hold_id, released_by=operator, released_at=now())
        _audit(session, application, "hold.released", operator, row._asdict())
        on_done(session)
    return read_hold(application, hold_id)


def read_hold(application: Application, hold_id: str) -> HoldView:
    """One hold; raises Refused ``not_found``."""
    with application.control.autocommit() as connection:
        row = connection.execute(select(HOLD).where(HOLD.c.id == hold_id)).first()
    if row is None:
        raise Refused("not_found")
    return _view(row)


def list_holds(application: Application) -> list[HoldView]:
    """Every hold that is kept, the newest first."""
    with application.control.autocommit() as connection:
        return [_view(row) for row in connection.execute(select(HOLD).order_by(HOLD.c.id.desc()))]


def _view(row: Any) -> HoldView:
    state = "released" if row.released_at else "active" if row.approved_at else "proposed"
    overdue = state != "released" and row.review_on < now().date()
    return HoldView(**row._asdict(), state=state, overdue=overdue)


def _locked(session: ControlSession, hold_id: str) -> Any:
    row = session.execute(select(HOLD).where(HOLD.c.id == hold_id).with_for_update()).first()
    if row is None:
        raise Refused("not_found")
    return row


def _set(session: ControlSession, hold_id: str, **values: Any) -> None:
    session.connection().execute(update(HOLD).where(HOLD.c.id == hold_id).values(values))


def _audit(session: ControlSession, application: Application, kind: str, operator: str, hold: Any) -> None:
    facts = {"hold": hold["id"], "retention": hold["retention"]}
    record(session, application, kind, operator, hold["organisation_id"], **facts)
