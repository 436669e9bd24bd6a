"""Subscriptions as Stripe has them, and what each status means here.

Statuses are Stripe's own words (API reference, "The Subscription object"), so that what Pigi stores can be held
against Stripe letter by letter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

NONE: Final = "none"
"""The status of a customer without any subscription."""

STATUSES: Final = (
    "active",
    "trialing",
    "past_due",
    "unpaid",
    "paused",
    "incomplete",
    "canceled",
    "incomplete_expired",
)
"""The best first: of several subscriptions of a customer, the first of these prevails."""

ENTITLED: Final = frozenset({"active", "trialing", "past_due"})
"""What has the plan that was bought. A late payment keeps it as long as Stripe goes on trying to collect; then Stripe
makes it ``unpaid`` or ``canceled``, and the free plan's limits apply. Nothing is deleted for want of money."""

ONGOING: Final = frozenset({"active", "trialing", "past_due", "unpaid", "paused"})
"""What is changed in Stripe's portal and not bought a second time."""

UNPAID_PURCHASE: Final = "incomplete"
"""What was bought, and can still be paid for some 23 hours after its first payment failed."""

ENDED: Final = frozenset({"canceled", "incomplete_expired"})
"""What nobody can be charged for any more."""

WANTS_PAYMENT: Final = frozenset({"past_due", "unpaid", UNPAID_PURCHASE})
"""What a person can mend by paying or by another means of payment."""


@dataclass(frozen=True)
class Subscription:
    """What Pigi reads of one. ``price_ids`` are those of its items.

    ``period_ends_at`` is when the first of them is charged for next; ``ends_at`` when it ends, or did, as far as that
    is settled.
    """

    id: str
    customer_id: str
    status: str
    price_ids: tuple[str, ...]
    created_at: datetime
    period_ends_at: datetime | None = field(default=None, compare=False)
    ends_at: datetime | None = field(default=None, compare=False)


def prevailing(subscriptions: Iterable[Subscription]) -> Subscription | None:
    """The one that counts: by `STATUSES`, then the newest. A status that Stripe adds later counts least."""

    def place(one: Subscription) -> tuple[int, float]:
        known = STATUSES.index(one.status) if one.status in STATUSES else len(STATUSES)
        return known, -one.created_at.timestamp()

    return min(subscriptions, key=place, default=None)
