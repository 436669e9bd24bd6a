"""What became of each event that Stripe told of."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select, update

from pigi.jobs.moves import NOW
from pigi.operations.billing_accounts import ACCOUNT
from pigi.store.billing import BillingEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

EVENT: Any = BillingEvent.__table__


class Outcome(StrEnum):
    """How an event ended; the names are permanent."""

    SYNCED = "synced"
    """Its customer was read anew after it was heard of."""
    LOGGED = "logged"
    """The same, and it is in the billing log."""
    REFUSED = "refused"
    """Its customer was read anew, but Stripe would not tell what the billing log needs."""
    UNKNOWN = "unknown"
    """It is about no customer of Pigi's."""


def find_event(connection: Connection, row_id: str | None) -> Any:
    """The event; None if there is none, or none any more."""
    return None if row_id is None else connection.execute(select(EVENT).where(EVENT.c.id == row_id)).first()


def open_events(connection: Connection, customer_id: str | None) -> Sequence[Any]:
    """What was heard of a customer and is not processed, the oldest first; with None, of whom nobody asked yet."""
    unprocessed = EVENT.c.processed_at.is_(None) & (EVENT.c.customer_id == customer_id)
    return connection.execute(select(EVENT).where(unprocessed).order_by(EVENT.c.created_at, EVENT.c.id)).all()


def settle_event(connection: Connection, row_id: str, outcome: Outcome) -> None:
    """Note how an event ended. What it was about is not kept any longer, but for an organisation's customer."""
    settle_events(connection, [row_id], outcome)


def settle_events(connection: Connection, row_ids: Sequence[str], outcome: Outcome) -> None:
    """`settle_event` for several."""
    if row_ids:
        # No purge would come by to remove a stranger's, or that of an organisation which is gone.
        ours = EVENT.c.customer_id.in_(select(ACCOUNT.c.customer_id).where(ACCOUNT.c.customer_id.is_not(None)))
        customer = case((ours, EVENT.c.customer_id), else_=None)
        ended = {"processed_at": NOW, "outcome": outcome.value, "object_id": None, "customer_id": customer}
        connection.execute(update(EVENT).where(EVENT.c.id.in_(row_ids), EVENT.c.processed_at.is_(None)).values(ended))


def forget_events(connection: Connection, customer_id: str) -> None:
    """Let go of a customer in what was heard of it and is processed; the rest follows when it is."""
    processed = (EVENT.c.customer_id == customer_id) & EVENT.c.processed_at.is_not(None)
    connection.execute(update(EVENT).where(processed).values(customer_id=None))
