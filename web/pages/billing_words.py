"""Words of the pages about money: what Stripe's statuses mean here, what things cost, how much of a plan is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pigi.domain.billing_findings import FINDINGS
from pigi.domain.plans import Limit
from pigi.domain.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.domain.plans import Plan
    from pigi.operations.billing import Offer
    from pigi.operations.entitlements import Use


@dataclass(frozen=True)
class StatusWords:
    """What a subscription's status is called, the tone of its badge, and what follows from it."""

    title: str
    tone: str
    says: str


STATUSES = {
    "none": StatusWords("No subscription", "", "Nothing was bought, and nothing is charged."),
    "active": StatusWords("Active", "ok", "It is paid for, and Stripe renews it until it is ended."),
    "trialing": StatusWords("On trial", "ok", "The plan applies; the first payment is due when the trial ends."),
    "past_due": StatusWords(
        "Payment late", "warn",
        "A payment failed. Stripe tries again, and the plan applies meanwhile. A new means of payment mends it.",
    ),
    "unpaid": StatusWords(
        "Not paid", "ill",
        "Stripe has given up collecting: the free plan's limits apply until the open invoice is paid. Nothing is lost.",
    ),
    "paused": StatusWords(
        "Paused", "warn", "The free plan's limits apply until Stripe has a means of payment. Nothing is lost."
    ),
    "incomplete": StatusWords(
        "Payment not confirmed", "warn", "The first payment was begun and not finished. The plan applies once it is."
    ),
    "incomplete_expired": StatusWords(
        "Never paid", "", "The first payment was not made in time, and nothing is charged."
    ),
    "canceled": StatusWords("Ended", "", "The free plan's limits apply, and nothing more is charged. Nothing is lost."),
}  # fmt: skip
"""By Stripe's word (`pigi.domain.subscriptions.STATUSES`)."""

ADVERBS = {"day": "a day", "week": "a week", "month": "a month", "year": "a year"}

# Decimals of a currency, where they are not two. Source: docs.stripe.com, "Supported currencies": zero-decimal
# and three-decimal ones. ISK and UGX have no fractions either, but Stripe writes them with two decimals.
DECIMALS = {
    **dict.fromkeys(
        ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"), 0
    ),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}


@dataclass(frozen=True)
class Meter:
    """How much is used of something, and how much a plan allows; None for no limit."""

    title: str
    used: int
    most: int | None

    @property
    def says(self) -> str:
        """``3 of 5``, or ``3, without limit``."""
        return f"{self.used:,}, without limit" if self.most is None else f"{self.used:,} of {self.most:,}"

    @property
    def is_full(self) -> bool:
        """Whether nothing can be added."""
        return self.most is not None and self.used >= self.most


def meters_of(plan: Plan, use: Use) -> list[Meter]:
    """What is used of each limit that something counts up to."""
    return [
        Meter("Members and open invitations", use.members, plan.most(Limit.MEMBERS)),
        Meter("Active resources", use.resources, plan.most(Limit.RESOURCES)),
        Meter("Drafts with AI today (UTC)", use.generations_today, plan.most(Limit.GENERATIONS)),
    ]


def limit_words(plan: Plan) -> list[str]:
    """A plan's limits, a phrase each."""
    nouns = {Limit.MEMBERS: "members", Limit.RESOURCES: "resources", Limit.GENERATIONS: "drafts a day"}
    told = [
        f"any number of {noun}" if (most := plan.most(limit)) is None else f"{most:,} {noun}"
        for limit, noun in nouns.items()
    ]
    return [*told, log_words(plan)]


def log_words(plan: Plan) -> str:
    """How far back the log of changes is shown."""
    days = plan.most(Limit.LOG_DAYS)
    return "the whole log of changes" if days is None else f"{days:,} days of the log of changes"


def amount_words(amount: int, currency: str) -> str:
    """``49.00 EUR``; ``amount`` is in the currency's smallest unit."""
    decimals = DECIMALS.get(currency, 2)
    # Whole numbers throughout: a float would round large amounts.
    whole, rest = divmod(amount, 10**decimals)
    fraction = f".{rest:0{decimals}}" if decimals else ""
    return f"{whole:,}{fraction} {currency.upper()}"


def price_words(offer: Offer) -> str | None:
    """``49.00 EUR a month``; None as long as it is not known. Prices in tiers have no one amount."""
    if offer.currency is None or offer.interval is None:
        return None
    if offer.amount is None:
        return "Depends on use; Stripe's page says more"
    count, interval = offer.interval_count, offer.interval
    often = ADVERBS.get(interval, f"a {interval}") if count == 1 else f"every {count} {interval}s"
    return f"{amount_words(offer.amount, offer.currency)} {often}"


def status_words(status: str) -> StatusWords:
    """A status in words; one that Stripe adds later stands for itself."""
    return STATUSES.get(status, StatusWords(status, "", "Stripe says more, on its own page."))


def finding_words(code: str) -> Reason:
    """What is wrong with the set-up, and what mends it."""
    return FINDINGS.get(code, Reason(code, ""))


FILTERS: dict[str, Callable[..., Any]] = {
    "status_words": status_words,
    "price_words": price_words,
    "limit_words": limit_words,
    "log_words": log_words,
    "finding_words": finding_words,
}
