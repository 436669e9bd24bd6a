"""Stripe's events: whether one is genuine, and the few facts that Pigi keeps: which, of what type, when, of whom.

Two forms carry the same (docs.stripe.com, "Event destinations"): snapshots hold a copy of the object, thin ones
only its id. Nothing of a copy is believed: whatever the event, the customer is read again from Stripe.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

THIN: Final = "v2.core.event"
SNAPSHOT: Final = "event"

LOGGED: Final = frozenset(
    {
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.voided",
        "invoice.marked_uncollectible",
        "refund.created",
        "refund.failed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)
"""What goes into the billing log (P27): money that moved, or that will not."""

HANDLED: Final = frozenset(
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
"""What the webhook endpoint must be subscribed to. Any other event is answered and forgotten.

Stripe lists events of at most 20 types at a time (API reference, "List all events").
"""

_EVENT_ID = re.compile(r"[A-Za-z0-9_]{1,80}")
# Stripe adds types at will, with brackets among them; this just keeps rubbish out.
_TYPE = re.compile(r"[ -~]{1,200}")
_OF_SUBSCRIPTIONS = re.compile(r"customer\.subscription\.[a-z0-9_.]{1,58}")
# A path of dots alone would lead to another place of the API.
_ID = re.compile(r"(?!\.+\Z)[!-~]{1,80}")


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
    def handled(self) -> bool:
        """Whether it may change anything here. Thin events know more sorts of a subscription's changes."""
        return self.type in HANDLED or _OF_SUBSCRIPTIONS.fullmatch(self.type) is not None


def read_event(value: Any) -> StripeEvent:
    """An event in either form, as JSON was read; raises ValueError if it is none.

    What it is about is read for handled events alone: objects of other sorts have ids that their makers choose, such as
    coupons and plans.
    """
    try:
        event = _bare(value)
        if not event.handled:
            return event
        customer, about = _thin(value) if event.thin else _snapshot(value)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        message = "not an event of Stripe's"
        raise ValueError(message) from None
    return replace(event, customer_id=customer, object_id=about)


def read_id(value: Any) -> str | None:
    """An id as Stripe may give it, if it is one; None for anything else.

    Customers that came from elsewhere keep the ids that they had there, so the form says little: up to 80 printable
    characters of ASCII, no spaces.
    """
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _bare(value: dict[str, Any]) -> StripeEvent:
    """What an event says of itself."""
    thin, name, live = value["object"] == THIN, value["id"], value["livemode"]
    type_ = value["type"].removeprefix("v1.") if thin else value["type"]
    known = thin or value["object"] == SNAPSHOT
    if not known or type(live) is not bool or not _EVENT_ID.fullmatch(name) or not _TYPE.fullmatch(type_):
        raise TypeError
    return StripeEvent(name, type_, _moment(value["created"], thin=thin), live, None, None, thin)


def _moment(created: Any, *, thin: bool) -> datetime:
    """Thin events have it as text, snapshots in seconds of Unix time."""
    if thin:
        return datetime.fromisoformat(created).astimezone(UTC)
    if type(created) is not int:
        raise TypeError
    return datetime.fromtimestamp(created, UTC)


def _thin(value: dict[str, Any]) -> tuple[str | None, str | None]:
    about = value.get("related_object") or {}
    named = read_id(about.get("id"))
    return named if about.get("type") == "customer" else None, named


def _snapshot(value: dict[str, Any]) -> tuple[str | None, str | None]:
    about = value["data"]["object"]
    customer = about if about.get("object") == "customer" else about.get("customer")
    return read_id(customer.get("id") if isinstance(customer, dict) else customer), read_id(about.get("id"))


TOLERANCE_SECONDS: Final = 300
"""As Stripe's libraries have it: an answer that was listened in on is worth nothing five minutes later."""
_LONGEST_HEADER: Final = 2_000
_SIGNED_AT = re.compile(r"[0-9]{1,12}")


def read_secrets(text: str) -> list[str]:
    """The secrets of STRIPE_WEBHOOK_SECRET: one, or two while one is replaced, parted by commas or spaces."""
    return [secret for secret in re.split(r"[,\s]+", text) if secret]


def is_genuine(body: bytes, header: str, secrets: Sequence[str], now: datetime) -> bool:
    """Whether one of ``secrets`` signed ``body`` within `TOLERANCE_SECONDS` of ``now``.

    Source: docs.stripe.com, "Verify webhook signatures manually": ``Stripe-Signature: t=…,v1=…`` where v1 is
    the HMAC-SHA256 of ``t.body`` in hex. While a secret is rotated there may be several v1, and here several secrets.
    Written here, since the web process knows no vendor's SDK; the tests hold it against the SDK's own.
    """
    pairs = [pair.partition("=")[::2] for pair in header[:_LONGEST_HEADER].split(",")]
    times = [value for name, value in pairs if name.strip() == "t" and _SIGNED_AT.fullmatch(value)]
    given = [value.strip().encode() for name, value in pairs if name.strip() == "v1"]
    if len(times) != 1 or abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        return False
    signed = b"%b.%b" % (times[0].encode(), body)
    wanted = [hmac.digest(secret.encode(), signed, "sha256").hex().encode() for secret in secrets]
    # All are compared, whatever is found, so that the time tells nothing of which secret is in use.
    return any([hmac.compare_digest(one, other) for one in wanted for other in given])  # noqa: C419 - see above
