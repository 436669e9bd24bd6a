"""The billing log (P27): a line for each event about money, with what the law asks for and no more.

Lines are never changed, and the database itself refuses to remove one before its seven years are over
(pigi/store/migrations/control/versions/0004_billing.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.domain.retention import financial_year_end
from pigi.domain.stripe_events import StripeEvent
from pigi.errors import Permanent
from pigi.operations.billing_outcomes import Outcome, settle_event
from pigi.store.billing import BillingLine
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.ports.billing import BillingProvider
    from pigi.store.sessions import ControlDatabase

LINE: Any = BillingLine.__table__


def log_event(control: ControlDatabase, provider: BillingProvider, event: Any) -> None:
    """Log what an event was about, as Stripe has it now; once, by its snapshot's ID. Raises Temporary."""
    asked = StripeEvent(event.event_id, event.type, event.created_at, livemode=False, customer_id=event.customer_id,
                        object_id=event.object_id)  # fmt: skip
    try:
        money = provider.money_of(asked) if event.object_id is not None else None
    except Permanent:
        # Asking again cannot help, and what came after it must not wait for it. Operators see how many there are.
        with control.quick() as connection:
            settle_event(connection, event.id, Outcome.REFUSED)
        return
    with control.transaction() as connection:
        if money is not None:
            line = {"event_id": event.snapshot_id or event.event_id, "event_type": event.type, **vars(money)}
            when = {"occurred_at": event.created_at, "year_end": financial_year_end(event.created_at)}
            connection.execute(insert_into(connection, LINE).values(line | when).on_conflict_do_nothing())
        settle_event(connection, event.id, Outcome.SYNCED if money is None else Outcome.LOGGED)


def was_customer(connection: Connection, customer_id: str) -> bool:
    """Whether the log knows the customer: its organisation may be gone, and money may still come or go."""
    return (
        connection.execute(select(LINE.c.event_id).where(LINE.c.customer_id == customer_id).limit(1)).first()
        is not None
    )


def lines_of(connection: Connection, customer_id: str) -> list[Any]:
    """The customer's lines, oldest first."""
    query = select(LINE).where(LINE.c.customer_id == customer_id).order_by(LINE.c.occurred_at, LINE.c.event_id)
    return list(connection.execute(query))
