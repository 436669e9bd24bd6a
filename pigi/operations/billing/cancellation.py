"""Cancelling at Stripe what a deleted organisation has there: from then on nothing is collected any more."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.subscriptions import ENDED
from pigi.errors import Temporary
from pigi.operations.billing.customers import SLACK, adopt_customer, find_account, forget_customer
from pigi.operations.billing.events import forget_events
from pigi.operations.billing.sync import sync_customer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.ports.billing import BillingProvider

CUSTOMER = "customer"
ENDINGS = ("subscription", "invoice")
"""What an earlier attempt began to end, and never saw succeed, has ended once there is nothing left of it to end."""


def end_subscriptions(
    context: JobContext, application: Application, provider: BillingProvider, organisation_id: str
) -> None:
    """Close checkouts, cancel subscriptions, void what is still to be collected; then sync the customer.

    Safe to repeat: each is looked at before it is ended. Raises Temporary and Permanent as `BillingProvider`.
    """
    customer_id = _customer(context, provider, organisation_id)
    if customer_id is None:
        return
    for checkout in provider.open_checkouts(customer_id):
        context.checkpoint()
        provider.expire_checkout(checkout.id)
    for one in provider.subscriptions_of(customer_id):
        if one.status not in ENDED:
            end_subscription(context, provider, one.id)
    for invoice_id in provider.open_invoices(customer_id):
        void_invoice(context, provider, invoice_id)
    context.confirm_effects(*ENDINGS)
    context.checkpoint()
    sync_customer(application, provider, customer_id)


def remove_customer(
    context: JobContext, application: Application, provider: BillingProvider, organisation_id: str
) -> None:
    """`end_subscriptions`, then have Stripe delete the customer with its name and address (P26).

    What Stripe must keep of invoices, and Pigi's billing log (P27), stays.
    """
    end_subscriptions(context, application, provider, organisation_id)
    customer_id = _customer(context, provider, organisation_id)
    if customer_id is not None:
        _once(context, CUSTOMER, lambda _key: provider.delete_customer(customer_id))
        if provider.read_customer(customer_id) is not None:
            raise Temporary("billing_failed")
        with context.control.transaction() as connection:
            forget_events(connection, customer_id)
            forget_customer(connection, organisation_id, customer_id)
    context.confirm_effects(CUSTOMER)


def _customer(context: JobContext, provider: BillingProvider, organisation_id: str) -> str | None:
    """The organisation's customer, also one whose making Pigi never saw succeed."""
    with context.control.autocommit() as connection:
        account = find_account(connection, organisation_id)
    if account is None or account.intended_at is None:
        return None if account is None else account.customer_id
    if account.customer_id is not None:
        return str(account.customer_id)
    found = provider.find_customer(organisation_id, account.intended_at - SLACK)
    if found is None:
        return None
    with context.control.transaction() as connection:
        return adopt_customer(connection, organisation_id, found)


def end_subscription(context: JobContext, provider: BillingProvider, subscription_id: str) -> None:
    """End it now, as an effect of the job."""
    _once(context, f"subscription:{_mark(subscription_id)}", partial(provider.cancel_subscription, subscription_id))


def void_invoice(context: JobContext, provider: BillingProvider, invoice_id: str) -> None:
    """See to it that it is never collected, as an effect of the job."""
    _once(context, f"invoice:{_mark(invoice_id)}", partial(provider.void_invoice, invoice_id))


def _mark(stripe_id: str) -> str:
    """A hash that keeps effects apart: they stay for weeks, and Pigi keeps no ID of Stripe's so long (P02)."""
    return hashlib.sha256(stripe_id.encode()).hexdigest()[:12]


def _once(context: JobContext, key: str, act: Callable[[str], None]) -> None:
    """Do what can be done again without harm, as an effect of the job; each attempt under a key of its own."""
    context.checkpoint()
    if not context.begin_effect(key).settled:
        act(f"pigi-{context.job.job_id}-{context.job.attempt}-{key}")
        context.complete_effect(key, None)
