"""Words of the pages about money: what Stripe's statuses mean here, what things cost, how much of a plan is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pigi.domain.billing_findings import FINDINGS
from pigi.domain.plans import Limit
from pigi.domain.reasons import Reason
from pigi.domain.subscriptions import NONE
from web.pages.shell.sizes import bytes_word

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.domain.plans import Plan
    from pigi.operations.billing import BillingView, Offer
    from pigi.operations.plans import Use
    from pigi.ports.billing import Invoice


@dataclass(frozen=True)
class StatusWords:
    """What a subscription's status is called, the tone of its badge, what follows from it, and what every page says."""

    title: str
    tone: str
    says: str
    banner: str = ""


STATUSES = {
    "none": StatusWords("No subscription", "", "Nothing was bought, and nothing is charged."),
    "active": StatusWords(
        "Active", "ok", "It is paid for. Stripe's page says when it renews or, if it was cancelled, when it ends."
    ),
    "trialing": StatusWords(
        "On trial", "ok", "The plan applies; the first payment is due when the trial ends. Stripe's page says when."
    ),
    "past_due": StatusWords(
        "Payment late", "warn",
        "A payment failed; the plan still applies. Pay the open invoice at Stripe now, or change the payment method "
        "before Stripe's next try. If Stripe gives up, the free plan's limits apply. Nothing is lost.",
        "A payment is late.",
    ),
    "unpaid": StatusWords(
        "Not paid", "ill",
        "Stripe has given up collecting: the free plan's limits apply until the open invoice is paid at Stripe. A new "
        "payment method alone does not pay it. Nothing is lost.",
        "A payment was not made.",
    ),
    "paused": StatusWords(
        "Paused", "warn", "The free plan's limits apply until Stripe has a payment method. Nothing is lost."
    ),
    "incomplete": StatusWords(
        "Payment not confirmed", "warn",
        "The first payment was not finished; the plan applies once it is. If it is not, it lapses within a day "
        "and costs nothing.",
        "The first payment is not finished.",
    ),
    "incomplete_expired": StatusWords(
        "Never paid", "", "The first payment was not made in time, and nothing is charged."
    ),
    "canceled": StatusWords("Ended", "", "The free plan's limits apply, and nothing more is charged. Nothing is lost."),
}  # fmt: skip
"""By Stripe's word (`pigi.domain.subscriptions.STATUSES`)."""

INVOICE_STATES = {"paid": "paid", "open": "to be paid", "void": "called off", "uncollectible": "given up"}
ADVERBS = {"day": "a day", "week": "a week", "month": "a month", "year": "a year"}

# Decimals of a currency, where they are not two. Source: docs.stripe.com, "Supported currencies": zero-decimal
# and three-decimal ones. ISK and UGX have no fractions either, but Stripe writes them with two decimals.
DECIMALS = {
    **dict.fromkeys(
        ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"), 0
    ),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}


NEARLY = 0.8
"""From which part on a limit is spoken of where people write."""


@dataclass(frozen=True)
class Meter:
    """How much is used of something, and how much a plan allows; None for no limit. ``full`` says what follows."""

    title: str
    used: int
    most: int | None
    full: str = "nothing can be added"
    worded: Callable[[int], str] = "{:,}".format

    @property
    def says(self) -> str:
        """``3 of 5``, or ``3, without limit``."""
        used = self.worded(self.used)
        return f"{used}, without limit" if self.most is None else f"{used} of {self.worded(self.most)}"

    @property
    def is_filling(self) -> bool:
        """Whether four fifths are used, so that people should know before it is full."""
        return self.most is not None and self.used >= self.most * NEARLY

    @property
    def is_full(self) -> bool:
        """Whether nothing can be added."""
        return self.most is not None and self.used >= self.most

    @property
    def follows(self) -> str:
        """What follows from its being full or, after the plan shrank, more than full."""
        if self.most is not None and self.used > self.most:
            return f"Over the plan: everything stays, and {self.full}."
        return f"{self.full[0].upper()}{self.full[1:]}."


def meters_of(plan: Plan, use: Use) -> list[Meter]:
    """What is used of each limit that something counts up to."""
    return [
        Meter("Members and open invitations", use.members, plan.most(Limit.MEMBERS), "nobody can be invited"),
        Meter("Active resources", use.resources, plan.most(Limit.RESOURCES)),
        Meter(
            "Drafts with AI today (UTC)",
            use.generations_today,
            plan.most(Limit.GENERATIONS),
            "the next can be generated from 00:00 UTC on",
        ),
        *storage_meters(plan, use.bytes, use.writes_today),
    ]


def storage_meters(plan: Plan, stored: int, written: int) -> list[Meter]:
    """What is used of what whoever saves something uses."""
    return [
        Meter("Stored configuration", stored, plan.most(Limit.BYTES), "nothing can be saved", bytes_word),
        Meter(
            "Changes of configuration today (UTC)",
            written,
            plan.most(Limit.WRITES),
            "the next can be saved from 00:00 UTC on",
        ),
    ]


def limit_words(plan: Plan) -> list[str]:
    """A plan's limits, a phrase each."""
    nouns = {Limit.MEMBERS: "members", Limit.RESOURCES: "resources", Limit.GENERATIONS: "drafts a day"}
    phrases = [
        f"any number of {noun}" if (most := plan.most(limit)) is None else f"{most:,} {noun}"
        for limit, noun in nouns.items()
    ]
    stored, written = plan.most(Limit.BYTES), plan.most(Limit.WRITES)
    return [
        *phrases,
        "any amount of configuration" if stored is None else f"{bytes_word(stored)} of configuration",
        "any number of changes a day" if written is None else f"{written:,} changes a day",
        log_words(plan),
    ]


def log_words(plan: Plan) -> str:
    """How far back the audit log is shown."""
    days = plan.most(Limit.LOG_DAYS)
    return "the whole audit log" if days is None else f"{days:,} days of audit log"


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


def bought_words(view: BillingView) -> str | None:
    """What the subscription costs, if it was told lately and its price is one that Pigi knows."""
    asked = view.subscribed.price_id if view.subscribed else None
    known = (offer for _, prices in view.offers for offer in prices if offer.price_id == asked)
    return next((words for offer in known if (words := price_words(offer))), None)


def invoice_words(invoice: Invoice) -> str:
    """``49.00 EUR, paid``."""
    return f"{amount_words(invoice.amount, invoice.currency)}, {INVOICE_STATES.get(invoice.status, invoice.status)}"


def status_words(status: str) -> StatusWords:
    """A status in words; one that Stripe adds later stands for itself."""
    return STATUSES.get(status, StatusWords(status, "", "Stripe's own page says more."))


def title_of(status: str, plan: Plan, usual: Plan) -> str:
    """What stands beside a plan's name: beside that of the usual plan a bare status would seem to be that plan's."""
    title = status_words(status).title
    return f"Subscription: {title}" if plan.name == usual.name and status != NONE else title


def finding_words(code: str) -> Reason:
    """What is wrong with the set-up, and what mends it."""
    return FINDINGS.get(code, Reason(code, ""))


FILTERS: dict[str, Callable[..., Any]] = {
    "status_words": status_words,
    "price_words": price_words,
    "limit_words": limit_words,
    "log_words": log_words,
    "finding_words": finding_words,
    "invoice_words": invoice_words,
}
