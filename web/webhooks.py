"""Webhooks: what Stripe tells Pigi by itself. It is written down and answered; a job does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.domain.stripe_api import WEBHOOK_PATH
from pigi.operations.billing_events import receive_webhook
from web.bodies import read_bytes
from web.replies import as_json, reply
from web.routes import Answer, Kind, Route, Who
from web.schemas.billing import Received, StripeEvent

if TYPE_CHECKING:
    from web.call import Visit
    from web.replies import Reply

MOST_BYTES = 1024 * 1024
"""Snapshots hold a whole object: an invoice with all its lines has some hundred KiB."""
RECEIVED = as_json({"received": True})


def hear_stripe(visit: Visit) -> Reply:
    """Take an event that Stripe has signed. The same event again is answered alike, and counts once."""
    receive_webhook(visit.application, read_bytes(), request.headers.get("Stripe-Signature", ""))
    return reply(RECEIVED)


ROUTES = (
    Route(
        "POST",
        WEBHOOK_PATH,
        hear_stripe,
        Who.ANYONE,
        Kind.SIGNED,
        "Hear an event of Stripe's",
        (Answer(200, "Heard, or of no interest", Received),),
        problems=("webhook_refused", "not_found"),
        body=StripeEvent,
        most_bytes=MOST_BYTES,
        accepts=("Stripe-Signature",),
        notes="There is no such address where nobody is charged.",
    ),
)
