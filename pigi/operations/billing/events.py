"""Stripe's events: receiving, storing and settling each, and matching its two forms (thin and snapshot)."""

from __future__ import annotations

import json
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select, update

from pigi.clock import now
from pigi.domain.stripe_events import LOGGED, StripeEvent, is_genuine, read_event, read_secrets
from pigi.errors import Permanent, Refused
from pigi.ids import new_id
from pigi.jobs.kinds import SYNC_BILLING
from pigi.jobs.model.transitions import NOW
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.billing.customers import ACCOUNT, active_organisation_of
from pigi.store.billing import BillingEvent
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.stripe_events import StripeEvent
    from pigi.ports.billing import BillingProvider
    from pigi.store.sessions import ControlDatabase, ControlSession

EVENT: Any = BillingEvent.__table__


class Outcome(StrEnum):
    """How an event ended; the names are permanent."""

    SYNCED = "synced"
    """Its customer was read anew after it was received."""
    LOGGED = "logged"
    """The same, and it is in the billing log."""
    REFUSED = "refused"
    """Its customer was read anew, but Stripe refused to return what the billing log needs."""
    UNKNOWN = "unknown"
    """It is about no customer of Pigi's."""


def find_event(connection: Connection, row_id: str | None) -> Any:
    """The event; None if there is none, or none any more."""
    return None if row_id is None else connection.execute(select(EVENT).where(EVENT.c.id == row_id)).first()


def open_events(connection: Connection, customer_id: str | None) -> Sequence[Any]:
    """A customer's events that are not processed, oldest first; with None, those whose customer is not known yet."""
    unprocessed = EVENT.c.processed_at.is_(None) & (EVENT.c.customer_id == customer_id)
    return connection.execute(select(EVENT).where(unprocessed).order_by(EVENT.c.created_at, EVENT.c.id)).all()


def settle_event(connection: Connection, row_id: str, outcome: Outcome) -> None:
    """Record how an event ended. What it was about is not kept any longer, but for an organisation's customer."""
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
    """Remove a customer's id from its processed events; the rest follow when they are processed."""
    processed = (EVENT.c.customer_id == customer_id) & EVENT.c.processed_at.is_not(None)
    connection.execute(update(EVENT).where(processed).values(customer_id=None))


NEAR = timedelta(seconds=5)
"""How far apart the two forms of one event may be dated: one has whole seconds."""


def find_snapshot(control: ControlDatabase, provider: BillingProvider, event: Any) -> str | None:
    """The id of a thin event's snapshot, requested until it is known; None if there is none. Raises Temporary."""
    known: str | None = event.snapshot_id
    if known is not None or not event.thin:
        return known
    try:
        found = provider.snapshot_of(event.event_id)
    except Permanent:
        # Money must not stay unlogged for want of a name.
        return None
    if found is not None:
        with control.autocommit() as connection:
            link_forms(connection, event.id, found)
    return found


def link_forms(connection: Connection, row_id: str, snapshot_id: str, customer_id: str | None = None) -> None:
    """Record a thin event's snapshot, unless one is known, and its customer if that was not known."""
    whose = func.coalesce(EVENT.c.customer_id, customer_id) if customer_id is not None else EVENT.c.customer_id
    unlinked = EVENT.c.snapshot_id.is_(None)
    learned = {"snapshot_id": snapshot_id, "customer_id": whose}
    connection.execute(update(EVENT).where(EVENT.c.id == row_id, unlinked).values(learned))


def recognise(connection: Connection, event: StripeEvent) -> bool:
    """Whether a thin event reported before what this snapshot reports; the two are linked then, to count as one.

    What an event is about is forgotten when it is processed. Whose it is will do then, for another reading of the same
    customer would find no more; but not for what is logged, where two facts of one moment are two lines.
    """
    about = EVENT.c.object_id.is_not(None) & (EVENT.c.object_id == event.object_id)
    if event.type not in LOGGED:
        # A customer that is gone is no longer named at all.
        nobodys = EVENT.c.customer_id.is_(None) & EVENT.c.processed_at.is_not(None)
        about |= (EVENT.c.customer_id == event.customer_id) | nobodys
    thin = select(EVENT).where(EVENT.c.thin, EVENT.c.snapshot_id.is_(None), EVENT.c.type == event.type, about)
    moments = EVENT.c.created_at.between(event.created_at - NEAR, event.created_at + NEAR)
    other_form = nearest(connection.execute(thin.where(moments)), event.created_at)
    if other_form is None:
        return False
    link_forms(connection, other_form.id, event.id, event.customer_id)
    return True


def nearest(rows: Iterable[Any], moment: datetime) -> Any:
    """Of events' rows the one that is dated closest to a moment; None of none."""
    return min(rows, key=lambda row: abs(row.created_at - moment), default=None)


REQUESTED_BY = "stripe"


def receive_webhook(application: Application, body: bytes, signature: str) -> str | None:
    """Receive a webhook request; the id of the job that it led to, None for an event that needs none.

    Raises Refused: ``not_found`` where nobody is charged; ``webhook_refused`` for whatever Stripe did not sign
        within the last minutes, for what is no event, and for one of the other mode (test or live).
    """
    if not application.plans.charged:
        raise Refused("not_found")
    event = _genuine(application, body, signature)
    if not event.handled:
        return None
    with application.control.begin() as session:
        row_id = store_event(session.connection(), event)
        return None if row_id is None else _request_sync(session, application, event, row_id)


def _genuine(application: Application, body: bytes, signature: str) -> StripeEvent:
    settings = application.settings
    if not is_genuine(body, signature, read_secrets(settings.stripe_webhook_secret), now()):
        raise Refused("webhook_refused")
    try:
        event = read_event(json.loads(body))
    except (ValueError, RecursionError):
        raise Refused("webhook_refused") from None
    if event.livemode != settings.stripe_live:
        raise Refused("webhook_refused")
    return event


def ingest_missed(application: Application, event: StripeEvent) -> bool:
    """Store an event that no webhook delivered and queue its job; False if either of its forms is stored already."""
    with application.control.begin() as session:
        connection = session.connection()
        row_id = None if recognise(connection, event) else store_event(connection, event)
        if row_id is not None:
            _request_sync(session, application, event, row_id)
    return row_id is not None


def store_event(connection: Connection, event: StripeEvent) -> str | None:
    """Store an event as not processed; its row's id, None if it is stored already.

    Whether its other form is stored does not matter: that one's job may have failed.
    """
    row: dict[str, Any] = {
        "id": new_id(),
        "event_id": event.id,
        "thin": event.thin,
        "type": event.type,
        "customer_id": event.customer_id,
        "object_id": event.object_id,
        "created_at": event.created_at,
        "received_at": NOW,
    }
    made = insert_into(connection, EVENT).values(row).on_conflict_do_nothing(index_elements=[EVENT.c.event_id])
    found: str | None = connection.execute(made.returning(EVENT.c.id)).scalar()
    return found


def is_stored(connection: Connection, event_id: str) -> bool:
    """Whether an event is stored, in either form as far as the two are linked."""
    either = (EVENT.c.event_id == event_id) | (EVENT.c.snapshot_id == event_id)
    return connection.execute(select(EVENT.c.id).where(either)).first() is not None


def _request_sync(session: ControlSession, application: Application, event: StripeEvent, row_id: str) -> str:
    """Queue a sync in the organisation's partition; in Pigi's own if it is not known, or is being deleted."""
    organisation_id = active_organisation_of(session.connection(), event.customer_id) if event.customer_id else None
    try:
        job = enqueue(
            session,
            application.notifier,
            SYNC_BILLING,
            organisation_id=organisation_id,
            requested_by=REQUESTED_BY,
            subject_id=row_id,
        )
    except Refused:
        job = enqueue(
            session,
            application.notifier,
            SYNC_BILLING,
            organisation_id=None,
            requested_by=REQUESTED_BY,
            subject_id=row_id,
        )
    return job.id
