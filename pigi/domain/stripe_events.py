"""Stripe's events, read down to the few facts that Pigi keeps: which, of what sort, when, about which customer.

Two forms carry the same (docs.stripe.com, "Event destinations"): snapshots hold a copy of the object, thin ones
only its id. Nothing of a copy is believed: whatever the event, the customer is read again from Stripe.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

THIN: Final = "v2.core.event"
SNAPSHOT: Final = "event"

LOGGED: Final = frozenset(
    {"invoice.paid", "invoice.payment_failed", "invoice.voided", "invoice.marked_uncollectible", "refund.created"}
)
"""What goes into the billing log (P27): money that moved, or that will not."""

HEEDED: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "customer.updated",
        "customer.deleted",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "invoice.finalized",
        *LOGGED,
    }
)
"""What the webhook endpoint must be subscribed to. Any other event is answered and forgotten."""

_ID = re.compile(r"[A-Za-z0-9_]{1,80}")
_TYPE = re.compile(r"[a-z0-9_.]{1,80}")
_OF_SUBSCRIPTIONS = "customer.subscription."


@dataclass(frozen=True)
class StripeEvent:
    """``type`` is without the ``v1.`` of thin events. ``object_id`` is what it is about, such as an invoice.

    A thin event has another id than the snapshot that tells the same.
    """

    id: str
    type: str
    created_at: datetime
    livemode: bool
    customer_id: str | None
    object_id: str | None
    thin: bool = False

    @property
    def heeded(self) -> bool:
        """Whether it may change anything here. Thin events know more sorts of a subscription's changes."""
        return self.type in HEEDED or self.type.startswith(_OF_SUBSCRIPTIONS)


def read_event(value: Any) -> StripeEvent:
    """An event in either form, as JSON was read; raises ValueError if it is none."""
    try:
        return _thin(value) if value["object"] == THIN else _snapshot(value)
    except (KeyError, TypeError, AttributeError, OverflowError, OSError):
        message = "not an event of Stripe's"
        raise ValueError(message) from None


def _thin(value: dict[str, Any]) -> StripeEvent:
    about = value.get("related_object") or {}
    named = _id(about.get("id"))
    customer = named if about.get("type") == "customer" else None
    created = datetime.fromisoformat(value["created"]).astimezone(UTC)
    return replace(_event(value, value["type"].removeprefix("v1."), created, customer, named), thin=True)


def _snapshot(value: dict[str, Any]) -> StripeEvent:
    if value["object"] != SNAPSHOT or type(value["created"]) is not int:
        raise TypeError
    about = value["data"]["object"]
    named = _id(about.get("id"))
    customer = about if about.get("object") == "customer" else about.get("customer")
    found = _id(customer.get("id") if isinstance(customer, dict) else customer)
    return _event(value, value["type"], datetime.fromtimestamp(value["created"], UTC), found, named)


def _event(value: dict[str, Any], sort: str, created: datetime, customer: str | None, about: str | None) -> StripeEvent:
    name, live = _id(value["id"]), value["livemode"]
    if name is None or type(live) is not bool or not _TYPE.fullmatch(sort):
        raise TypeError
    return StripeEvent(name, sort, created, live, customer, about)


def _id(value: Any) -> str | None:
    """An id if it is one; None for nothing. Raises TypeError for anything else."""
    if value is None:
        return None
    if not _ID.fullmatch(value):
        raise TypeError
    return str(value)
