"""Customers and their subscriptions."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from pigi.domain.stripe_events import read_id
from pigi.errors import Permanent
from pigi.gateways.stripe_answers import id_of, named, read_customer, read_subscription
from pigi.gateways.stripe_caller import StripeCaller, settle
from pigi.gateways.stripe_errors import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pigi.domain.subscriptions import Subscription
    from pigi.ports.billing import Contact, Customer

# By how ids begin. Charges that are no cards' begin with py.
_SHELVES: Final = {
    "ch": attrgetter("charges"),
    "cs": attrgetter("checkout.sessions"),
    "dp": attrgetter("disputes"),
    "du": attrgetter("disputes"),
    "in": attrgetter("invoices"),
    "pi": attrgetter("payment_intents"),
    "py": attrgetter("charges"),
    "pyr": attrgetter("refunds"),
    "re": attrgetter("refunds"),
    "sub": attrgetter("subscriptions"),
}
# These say which payment they take back, and only that one says for sure whose it was.
_TAKING_BACK: Final = frozenset({"dp", "du", "pyr", "re"})
_EVEN_ENDED: Final = {"status": "all"}


class Customers(StripeCaller):
    """`pigi.ports.billing.BillingProvider`, as far as customers and subscriptions go."""

    def create_customer(self, organisation_id: str, key: str) -> str:
        return self._ask(
            lambda: self._v1.customers.create(
                {"metadata": {"organisation": organisation_id}}, {"idempotency_key": key}
            ),
            id_of,
        )

    def find_customer(self, organisation_id: str, since: datetime) -> str | None:
        # A list comes newest first, so the last one that fits is the oldest.
        found = None
        created = {"gte": int(since.timestamp())}
        for customer in self._every(self._v1.customers.list, {"created": created}, read_customer):
            if customer.organisation_id == organisation_id:
                found = customer.id
        return found

    def read_customer(self, customer_id: str, contact: Contact | None = None) -> Customer | None:
        answer, failure = settle(lambda: _unless_deleted(self._v1.customers.retrieve(customer_id).to_dict(), contact))
        if isinstance(failure, Missing):
            # Stripe remembers those that were deleted, so this key is of another account or mode.
            raise Permanent("billing_customer_unknown") from None
        if failure is not None:
            raise failure from None
        return answer

    def update_customer(self, customer_id: str, contact: Contact, key: str) -> None:
        self._ask(
            lambda: self._v1.customers.update(
                customer_id, {"name": contact.name, "email": contact.email}, {"idempotency_key": key}
            ),
            id_of,
        )

    def delete_customer(self, customer_id: str) -> None:
        self._find(lambda: self._v1.customers.delete(customer_id), id_of)

    def all_customers(self, contacts: Iterable[tuple[str, Contact]] = ()) -> Iterator[Customer]:
        known = dict(contacts)
        return self._every(self._v1.customers.list, {}, lambda value: read_customer(value, known.get(value["id"])))

    def customer_of(self, object_id: str) -> str | None:
        sort = object_id.partition("_")[0]
        shelf = _SHELVES.get(sort)
        if shelf is None:
            return None
        whose = partial(_whose, taking_back=sort in _TAKING_BACK)
        customer, payment = self._find(lambda: shelf(self._v1).retrieve(object_id), whose) or (None, None)
        return self.customer_of(payment) if customer is None and payment is not None else customer

    def subscriptions_of(self, customer_id: str) -> list[Subscription]:
        return list(
            self._every(self._v1.subscriptions.list, {"customer": customer_id, **_EVEN_ENDED}, read_subscription)
        )

    def all_subscriptions(self) -> Iterator[Subscription]:
        return self._every(self._v1.subscriptions.list, _EVEN_ENDED, read_subscription)

    def cancel_subscription(self, subscription_id: str, key: str) -> None:
        # One that has ended before counts as missing here.
        self._find(
            lambda: self._v1.subscriptions.cancel(
                subscription_id, {"invoice_now": False, "prorate": False}, {"idempotency_key": key}
            ),
            id_of,
        )


def _whose(value: dict[str, Any], *, taking_back: bool) -> tuple[str | None, str | None]:
    """The customer, and the payment that leads to it."""
    payment = named(value.get("charge") or value.get("payment_intent")) if taking_back else None
    return read_id(named(value.get("customer"))), payment


def _unless_deleted(value: dict[str, Any], contact: Contact | None) -> Customer | None:
    return None if value.get("deleted") else read_customer(value, contact)
