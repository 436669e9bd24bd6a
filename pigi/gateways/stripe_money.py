"""Invoices, amounts, prices, and what happened at Stripe."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.stripe_events import HANDLED, read_event
from pigi.gateways.stripe_answers import country, id_of, named, read_invoice, read_price
from pigi.gateways.stripe_caller import StripeCaller
from pigi.ports.billing import Money

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pigi.domain.stripe_events import StripeEvent
    from pigi.ports.billing import Invoice, Price

# What an event of an invoice says, and the field with the amount that it says it of. An event is a fact of its
# moment: the invoice may have moved on since. So these are fields that later payments leave alone.
_OF_INVOICES: Final = {
    "invoice.paid": ("paid", "amount_paid"),
    "invoice.payment_failed": ("failed", "amount_due"),
    "invoice.voided": ("void", "amount_due"),
    "invoice.marked_uncollectible": ("uncollectible", "amount_due"),
}
# What took a payment back, or undid that: where it is read, which way the money went, and what the log calls it. A
# refund counts from its creation, even if it is pending; should it fail, its amount comes back.
_OF_PAYMENTS: Final = {
    "refund.created": (attrgetter("refunds"), -1, "refunded"),
    "refund.failed": (attrgetter("refunds"), 1, "refund_failed"),
    "charge.dispute.funds_withdrawn": (attrgetter("disputes"), -1, "disputed"),
    "charge.dispute.funds_reinstated": (attrgetter("disputes"), 1, "reinstated"),
}
_COLLECTABLE: Final = ("draft", "open")
_VOIDABLE: Final = frozenset({"open", "uncollectible"})


class StripeMoney(StripeCaller):
    """`pigi.ports.billing.BillingProvider`, as far as invoices, prices and events go."""

    def invoices_of(self, customer_id: str, most: int) -> list[Invoice]:
        every = self._every(self._v1.invoices.list, {"customer": customer_id}, read_invoice)
        return list(islice((one for one in every if one.status != "draft"), most))

    def open_invoices(self, customer_id: str, subscription_id: str | None = None) -> list[str]:
        found: list[str] = []
        whose = {"customer": customer_id} | ({"subscription": subscription_id} if subscription_id else {})
        for status in _COLLECTABLE:
            found += self._every(self._v1.invoices.list, {**whose, "status": status}, id_of)
        return found

    def void_invoice(self, invoice_id: str, key: str) -> None:
        status, subscribed = self._find(lambda: self._v1.invoices.retrieve(invoice_id), _collection_state) or (
            None,
            False,
        )
        if status == "draft" and not subscribed:
            self._find(lambda: self._v1.invoices.delete(invoice_id, None, {"idempotency_key": key}), id_of)
            return
        if status == "draft":
            # A subscription's draft cannot be deleted (API reference, "Delete a draft invoice").
            status = self._finalize(invoice_id, f"{key}:finalize")
        if status in _VOIDABLE:
            self._find(lambda: self._v1.invoices.void_invoice(invoice_id, None, {"idempotency_key": key}), id_of)

    def _finalize(self, invoice_id: str, key: str) -> str | None:
        """Its status after it became final, without being collected; None if it is gone."""
        quietly: Any = {"auto_advance": False}
        return self._find(
            lambda: self._v1.invoices.finalize_invoice(invoice_id, quietly, {"idempotency_key": key}),
            lambda value: str(value["status"]),
        )

    def money_of(self, event: StripeEvent) -> Money | None:
        about = event.object_id
        if about is None:
            return None
        if event.type in _OF_PAYMENTS:
            return self._taken_back(about, event.type)
        status, field = _OF_INVOICES.get(event.type, (None, None))
        if status is None or field is None:
            return None
        return self._find(lambda: self._v1.invoices.retrieve(about), lambda value: _billed(value, status, field))

    def _taken_back(self, about: str, sort: str) -> Money | None:
        shelf, sign, status = _OF_PAYMENTS[sort]
        found = self._find(lambda: shelf(self._v1).retrieve(about, {"expand": ["charge"]}), _taken)
        customer = None if found is None else found.customer or self._payer(found.intent)
        if found is None or customer is None:
            return None
        invoice, where = self._invoice_of(found.intent) or (None, found.country)
        return Money(customer, invoice, sign * found.amount, found.currency, where, status)

    def _payer(self, intent: str | None) -> str | None:
        if intent is None:
            return None
        return self._find(lambda: self._v1.payment_intents.retrieve(intent), lambda value: named(value.get("customer")))

    def _invoice_of(self, intent: str | None) -> tuple[str | None, str | None] | None:
        """The invoice that a payment was for, and where that was taxed: payments no longer name their invoice."""
        if intent is None:
            return None
        payment = {"type": "payment_intent", "payment_intent": intent}
        params = {"payment": payment, "expand": ["data.invoice"]}
        return next(self._every(self._v1.invoice_payments.list, params, _invoice_paid), None)

    def prices(self, price_ids: Sequence[str]) -> list[Price]:
        found = (self._price(price) for price in price_ids)
        return [price for price in found if price is not None]

    def _price(self, price_id: str) -> Price | None:
        return self._find(lambda: self._v1.prices.retrieve(price_id), read_price)

    def snapshot_of(self, event_id: str) -> str | None:
        return self._find(
            lambda: self._v2.core.events.retrieve(event_id), lambda value: named(value.get("snapshot_event"))
        )

    def events_since(self, moment: datetime) -> Iterator[StripeEvent]:
        params = {"types": sorted(HANDLED), "created": {"gte": int(moment.timestamp())}}
        found = self._every(self._v1.events.list, params, _read_event)
        return (event for event in found if event is not None)


@dataclass(frozen=True)
class _Taken:
    """A refund or dispute: of whose payment, how much, and where the payer said to live."""

    customer: str | None
    intent: str | None
    amount: int
    currency: str
    country: str | None


def _read_event(value: Any) -> StripeEvent | None:
    """An event; None for what this version cannot read: the rest must not wait for it."""
    try:
        return read_event(value)
    except ValueError:
        return None


def _collection_state(value: dict[str, Any]) -> tuple[str, bool]:
    """An invoice's status, and whether it is a subscription's."""
    return str(value["status"]), subscription_of(value) is not None


def subscription_of(invoice: dict[str, Any]) -> str | None:
    """The subscription that an invoice is for, if it is for one."""
    return named(subscription_details(invoice).get("subscription"))


def subscription_details(invoice: dict[str, Any]) -> dict[str, Any]:
    """What an invoice says of the subscription that it is for, its metadata among it; nothing for any other."""
    return (invoice.get("parent") or {}).get("subscription_details") or {}


def _billed(value: dict[str, Any], status: str, field: str) -> Money | None:
    customer = named(value["customer"])
    if customer is None:
        return None
    where = country(value.get("customer_address"))
    return Money(customer, id_of(value), int(value[field]), str(value["currency"]), where, status)


def _taken(value: dict[str, Any]) -> _Taken:
    """A refund or dispute that came with its charge."""
    charge = value.get("charge") or {}
    customer = named(value.get("customer")) or named(charge.get("customer"))
    intent = named(value.get("payment_intent")) or named(charge.get("payment_intent"))
    where = country((charge.get("billing_details") or {}).get("address"))
    return _Taken(customer, intent, int(value["amount"]), str(value["currency"]), where)


def _invoice_paid(value: dict[str, Any]) -> tuple[str | None, str | None]:
    """An invoice payment's invoice, that came with it, and the country of its customer."""
    invoice = value["invoice"]
    return named(invoice), country(invoice.get("customer_address"))
