"""Hearing of events: what Stripe's webhook tells, and what reconciliation finds that it did not tell.

An event is written down once by its ID, in the transaction that asks for its job. Nothing of what it holds is kept.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.stripe_events import StripeEvent, read_event
from pigi.domain.webhook_signature import is_genuine, read_secrets
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.enqueue import enqueue
from pigi.jobs.kinds import SYNC_BILLING
from pigi.jobs.moves import NOW
from pigi.operations.billing_accounts import active_organisation_of
from pigi.operations.billing_forms import recognise
from pigi.operations.billing_outcomes import EVENT
from pigi.store.engines import insert_into

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

ASKED_BY = "stripe"


def receive_webhook(application: Application, body: bytes, signature: str) -> str | None:
    """Take what came to the webhook's address; the id of the job that it led to, None for what needs none.

    Raises Refused: ``not_found`` where nobody is charged; ``webhook_refused`` for whatever Stripe did not sign
        within the last minutes, for what is no event, and for one of the other mode (test or live).
    """
    if not application.plans.charged:
        raise Refused("not_found")
    event = _genuine(application, body, signature)
    if not event.heeded:
        return None
    with application.control.begin() as session:
        row_id = note_event(session.connection(), event)
        return None if row_id is None else _ask_for_sync(session, application, event, row_id)


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


def hear_missed(application: Application, event: StripeEvent) -> bool:
    """Take an event that no webhook told, with the job that it is owed; False if it was heard of in either form."""
    with application.control.begin() as session:
        connection = session.connection()
        row_id = None if recognise(connection, event) else note_event(connection, event)
        if row_id is not None:
            _ask_for_sync(session, application, event, row_id)
    return row_id is not None


def note_event(connection: Connection, event: StripeEvent) -> str | None:
    """Write an event down as heard of and not processed; its row's id, None if that was done before.

    Whatever was heard of its other form: that one's job may have failed.
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


def is_noted(connection: Connection, event_id: str) -> bool:
    """Whether an event was heard of, in either form as far as the two are tied to each other."""
    either = (EVENT.c.event_id == event_id) | (EVENT.c.snapshot_id == event_id)
    return connection.execute(select(EVENT.c.id).where(either)).first() is not None


def _ask_for_sync(session: ControlSession, application: Application, event: StripeEvent, row_id: str) -> str:
    """In the organisation's lane, where it is known; Pigi's own otherwise, also for one that is being deleted."""
    organisation_id = active_organisation_of(session.connection(), event.customer_id) if event.customer_id else None
    try:
        job = enqueue(session, application.bell, SYNC_BILLING, organisation_id=organisation_id, asked_by=ASKED_BY,
                      subject_id=row_id)  # fmt: skip
    except Refused:
        job = enqueue(
            session, application.bell, SYNC_BILLING, organisation_id=None, asked_by=ASKED_BY, subject_id=row_id
        )
    return job.id
