"""The two forms of an event: Stripe tells one fact as a snapshot and as a thin event, under two ids.

A thin event names its snapshot only when it is asked for. Where that is not known, a fact is known by its type, by
what it is about, and by its moment.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from pigi.domain.stripe_events import LOGGED
from pigi.errors import Permanent
from pigi.operations.billing_outcomes import EVENT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.domain.stripe_events import StripeEvent
    from pigi.ports.billing import BillingProvider
    from pigi.store.sessions import ControlDatabase

NEAR = timedelta(seconds=5)
"""How far apart the two forms of one event may be dated: one has whole seconds."""


def find_snapshot(control: ControlDatabase, provider: BillingProvider, event: Any) -> str | None:
    """The id of the snapshot of a thin event's row, asked for until it is known; None if none. Raises Temporary."""
    known: str | None = event.snapshot_id
    if known is not None or not event.thin:
        return known
    try:
        found = provider.snapshot_of(event.event_id)
    except Permanent:
        # Money must not stay unlogged for want of a name.
        return None
    if found is not None:
        with control.quick() as connection:
            tie(connection, event.id, found)
    return found


def tie(connection: Connection, row_id: str, snapshot_id: str, customer_id: str | None = None) -> None:
    """Note a thin event's snapshot, unless one is known, and whose it is if that was not known."""
    whose = func.coalesce(EVENT.c.customer_id, customer_id) if customer_id is not None else EVENT.c.customer_id
    untied = EVENT.c.snapshot_id.is_(None)
    learned = {"snapshot_id": snapshot_id, "customer_id": whose}
    connection.execute(update(EVENT).where(EVENT.c.id == row_id, untied).values(learned))


def recognise(connection: Connection, event: StripeEvent) -> bool:
    """Whether a thin event told before what this snapshot tells; the two are tied then, so that each counts for one.

    What an event is about is forgotten when it is processed. Whose it is will do then, for another reading of the same
    customer would find no more; but not for what is logged, where two facts of one moment are two lines.
    """
    about = EVENT.c.object_id.is_not(None) & (EVENT.c.object_id == event.object_id)
    if event.type not in LOGGED:
        # A customer that is gone is no longer named at all.
        nobodys = EVENT.c.customer_id.is_(None) & EVENT.c.processed_at.is_not(None)
        about |= (EVENT.c.customer_id == event.customer_id) | nobodys
    heard = select(EVENT).where(EVENT.c.thin, EVENT.c.snapshot_id.is_(None), EVENT.c.type == event.type, about)
    moments = EVENT.c.created_at.between(event.created_at - NEAR, event.created_at + NEAR)
    twin = nearest(connection.execute(heard.where(moments)), event.created_at)
    if twin is None:
        return False
    tie(connection, twin.id, event.id, event.customer_id)
    return True


def nearest(rows: Iterable[Any], moment: datetime) -> Any:
    """Of events' rows the one that is dated closest to a moment; None of none."""
    return min(rows, key=lambda row: abs(row.created_at - moment), default=None)
