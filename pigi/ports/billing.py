"""The payment provider, as operations see it: Stripe, by whatever stands at STRIPE_API_BASE.

What is asked for is identifiers, statuses and amounts. Names and addresses only go out (to keep the customer in
step); none is taken in. Errors, of every method:

    Temporary: ``billing_busy`` (429, with Retry-After if a usable one came; 409, another request with the same
        idempotency key is at work), ``billing_unreachable`` (no connection, a timeout: it may have been done),
        ``billing_failed`` (5xx), ``billing_refuses_us`` (401, 403: an operator must act, and until then nothing
        that was heard of may be lost), which is `NotAllowed`.
    Permanent: ``billing_rejected`` (any other 4xx).

Every write takes ``key``, an idempotency key of the effect that it is. The provider forgets keys after a day or so:
whoever tries again looks first whether it was done. Until then it repeats the answer to a key, a failure of its own
too; that is told apart as `RepeatedFailure`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pigi.errors import Temporary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, timedelta

    from pigi.domain.stripe_events import StripeEvent
    from pigi.domain.subscriptions import Subscription


class NotAllowed(Temporary):
    """``billing_refuses_us``: the key itself is refused, or it lacks the right to what was asked."""

    def __init__(self, retry_after: timedelta | None = None) -> None:
        super().__init__("billing_refuses_us", retry_after)


class RepeatedFailure(Temporary):
    """``billing_failed``, as an earlier request of the same key was answered: for a day that key gets nothing else.

    The earlier request may have done its work all the same.
    """

    def __init__(self) -> None:
        super().__init__("billing_failed")


@dataclass(frozen=True, repr=False)
class Contact:
    """Who gets the provider's invoices and receipts. ``repr`` is off: it has a name and an address."""

    name: str
    email: str


@dataclass(frozen=True)
class Customer:
    """A customer. ``organisation_id`` is what Pigi wrote into its metadata; None for somebody else's."""

    id: str
    organisation_id: str | None
    in_step: bool | None = None
    """Whether name and address are those that were asked about; None if none were."""


@dataclass(frozen=True, repr=False)
class Page:
    """A page at the provider's; ``url`` opens it for whoever has it, so ``repr`` is off."""

    id: str
    url: str


@dataclass(frozen=True, repr=False)
class OpenCheckout(Page):
    """A checkout that somebody can still pay; ``job_id`` is the job that made it, None for another's."""

    job_id: str | None


@dataclass(frozen=True)
class CheckoutRequest:
    """A subscription to be bought: by which customer, at which price, for which job, and where to come back."""

    customer_id: str
    price_id: str
    organisation_id: str
    job_id: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True)
class Money:
    """An amount that moved or is owed, as the billing log keeps it; ``amount`` in the currency's smallest unit."""

    customer_id: str
    invoice_id: str | None
    amount: int
    currency: str
    tax_country: str | None
    status: str


@dataclass(frozen=True, repr=False)
class Invoice:
    """An invoice; ``amount`` in the smallest unit, ``status`` the provider's word.

    ``url`` shows it to whoever has the address, so ``repr`` is off; None for one without a page.
    """

    created_at: datetime
    amount: int
    currency: str
    status: str
    url: str | None


@dataclass(frozen=True)
class Price:
    """What something costs: ``amount`` in the smallest unit every ``interval_count`` ``interval``s; None by use."""

    id: str
    amount: int | None
    currency: str
    interval: str
    interval_count: int
    active: bool


class BillingProvider(Protocol):
    """Stripe's API, as far as Pigi uses it."""

    def create_customer(self, organisation_id: str, key: str) -> str:
        """A new customer, of whom only the organisation's id is said; its id.

        Nothing else is sent, so that the same key always means the same request.
        """
        ...

    def find_customer(self, organisation_id: str, since: datetime) -> str | None:
        """The oldest customer made for the organisation since a moment; None if there is none.

        Asks a list that is exact at once, not a search whose index may lag.
        """
        ...

    def read_customer(self, customer_id: str, contact: Contact | None = None) -> Customer | None:
        """The customer, held against ``contact`` if given; None if it was deleted.

        Raises Permanent ``billing_customer_unknown`` if it never was: the key is of another account or mode.
        """
        ...

    def update_customer(self, customer_id: str, contact: Contact, key: str) -> None:
        """Put name and address in step."""
        ...

    def delete_customer(self, customer_id: str) -> None:
        """Delete the customer, which also ends its subscriptions. Safe to repeat."""
        ...

    def customer_of(self, object_id: str) -> str | None:
        """Whose a subscription, invoice, charge, refund, dispute or checkout is, by its id; None if it is gone."""
        ...

    def subscriptions_of(self, customer_id: str) -> list[Subscription]:
        """All subscriptions of a customer, ended ones among them; none for a customer that is gone."""
        ...

    def cancel_subscription(self, subscription_id: str, key: str) -> None:
        """End it now, without a final invoice. Safe to repeat."""
        ...

    def create_checkout(self, request: CheckoutRequest, key: str) -> Page:
        """A checkout page for a subscription."""
        ...

    def open_checkouts(self, customer_id: str) -> list[OpenCheckout]:
        """The customer's checkouts that can still be paid."""
        ...

    def has_ended_checkout(self, customer_id: str, job_id: str, since: datetime) -> bool:
        """Whether a job made a checkout since a moment that can't be paid any more: paid, closed or run out."""
        ...

    def expire_checkout(self, checkout_id: str) -> None:
        """Close a checkout, so that it can't be paid. Safe to repeat."""
        ...

    def create_portal(self, customer_id: str, return_url: str, key: str, *, payment_method: bool = False) -> Page:
        """A page on which the customer changes or ends what it has; or just the one for a new means of payment."""
        ...

    def invoices_of(self, customer_id: str, most: int) -> list[Invoice]:
        """A customer's newest invoices, drafts left out; none for a customer that is gone."""
        ...

    def open_invoices(self, customer_id: str, subscription_id: str | None = None) -> list[str]:
        """Invoices that may still be collected, of all subscriptions or of one: drafts and open ones."""
        ...

    def void_invoice(self, invoice_id: str, key: str) -> None:
        """See to it that it is never collected: delete a draft, void any other. Safe to repeat."""
        ...

    def money_of(self, event: StripeEvent) -> Money | None:
        """What an event of `pigi.domain.stripe_events.LOGGED` was about, read anew; None if it is gone."""
        ...

    def prices(self, price_ids: Sequence[str]) -> list[Price]:
        """Those of the prices that exist."""
        ...

    def all_customers(self, contacts: Iterable[tuple[str, Contact]] = ()) -> Iterator[Customer]:
        """Every customer, those in ``contacts`` (by customer id) held against theirs."""
        ...

    def all_subscriptions(self) -> Iterator[Subscription]:
        """Every subscription of every customer, ended ones among them."""
        ...

    def snapshot_of(self, event_id: str) -> str | None:
        """The id of the snapshot event that tells the same as a thin one (v2 API); None if it has none."""
        ...

    def events_since(self, moment: datetime) -> Iterator[StripeEvent]:
        """Events of the handled sorts that happened since a moment, newest first; Stripe keeps them for 30 days."""
        ...

    def findings(self, webhook_url: str, price_ids: Sequence[str], *, live: bool) -> list[str]:
        """What is wrong with the account's set-up: codes of `pigi.domain.billing_findings.FINDINGS`.

        A part that the key has no right to see is a finding of its own. ``live`` is whether money is real: receipts
        are mailed only then. Of payments those count that subscriptions of Pigi's made.
        """
        ...
