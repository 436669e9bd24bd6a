"""Checkout: the job that opens a page at Stripe's on which a subscription is bought, once, and one at a time.

Whether a customer or a checkout was made is asked of Stripe before it is made again: a try may have timed out after
it was done, and idempotency keys are forgotten after a day.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.subscriptions import STANDING, UNPAID_PURCHASE
from pigi.errors import Permanent
from pigi.operations.billing_accounts import (
    SLACK,
    active_organisation_of,
    adopt_customer,
    find_account,
    forget_customer,
    intend_customer,
)
from pigi.operations.billing_closing import ENDINGS, end_subscription, void_invoice
from pigi.operations.billing_contacts import keep_in_step, write_contact
from pigi.operations.billing_outcomes import forget_events
from pigi.operations.billing_pages import home_of, keep_url, read_asked
from pigi.operations.billing_provider import make
from pigi.operations.billing_sync import sync_customer
from pigi.ports.billing import CheckoutRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.subscriptions import Subscription
    from pigi.jobs.context import JobContext
    from pigi.ports.billing import BillingProvider, Page


def open_checkout(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Open the page on which the organisation buys a subscription.

    Raises:
        Permanent: ``already_subscribed``, ``plan_granted``, ``billing_moot`` once nobody waits any more, and as
            `BillingProvider`.
        Temporary: as `BillingProvider`.
    """
    link = read_asked(context)
    with context.control.quick() as connection:
        if _is_granted(connection, context):
            raise Permanent("plan_granted")
    customer_id = sure_customer(context, provider)
    subscriptions = provider.subscriptions_of(customer_id)
    if _standing(subscriptions):
        # Perhaps nobody told Pigi of it yet.
        sync_customer(application, provider, customer_id)
        raise Permanent("already_subscribed")
    _give_up_unpaid(context, provider, customer_id, subscriptions)
    context.checkpoint()
    begun = context.begin_effect("checkout")
    if begun.settled and link.url is not None:
        return
    since = link.created_at - SLACK
    if begun.settled or (begun.tries > 1 and provider.has_ended_checkout(customer_id, context.job.job_id, since)):
        raise Permanent("billing_moot")
    page = _single_checkout(context, application, provider, customer_id, link.price_id)
    _stand_alone(context, provider, customer_id, page)
    keep_url(context, application, page)
    context.settle_effect("checkout", None)


def _is_granted(connection: Connection, context: JobContext) -> bool:
    account = find_account(connection, context.organisation_id)
    return account is not None and account.granted is not None


def _standing(subscriptions: Iterable[Subscription]) -> bool:
    return any(one.status in STANDING for one in subscriptions)


def sure_customer(context: JobContext, provider: BillingProvider) -> str:
    """The organisation's customer, made if there is none, with the name and address of today."""
    organisation_id = context.organisation_id
    with context.control.transaction() as connection:
        account, perhaps_made = intend_customer(connection, organisation_id)
    if account.customer_id is not None:
        if keep_in_step(context, provider, account.customer_id):
            return str(account.customer_id)
        # Somebody deleted it at Stripe's. What it had bought is over; the sync that is under way says so.
        with context.control.transaction() as connection:
            forget_events(connection, account.customer_id)
            account = forget_customer(connection, organisation_id, account.customer_id)
    context.begin_effect("customer")
    look = partial(provider.find_customer, organisation_id, account.intended_at - SLACK)
    found = look() if perhaps_made else None
    # The organisation's key, not the job's: of two jobs that do this at once, both get the same customer.
    key = f"pigi-{organisation_id}-customer-{account.intended_at.timestamp():.6f}"
    found = found or make(partial(provider.create_customer, organisation_id), look, key)
    with context.control.transaction() as connection:
        customer_id = adopt_customer(connection, organisation_id, found)
    context.settle_effect("customer", None)
    write_contact(context, provider, customer_id)
    return customer_id


def _give_up_unpaid(
    context: JobContext, provider: BillingProvider, customer_id: str, subscriptions: Iterable[Subscription]
) -> None:
    """End what was bought and never paid: for a day it still can be, and then the customer would pay for two.

    The invoices first, since an attempt that dies after them finds the subscription still unpaid, and goes on. Voiding
    them may have ended it, and somebody may have paid meanwhile, so it is read again.
    """
    begun = [one.id for one in subscriptions if one.status == UNPAID_PURCHASE]
    for subscription_id in begun:
        for invoice_id in provider.open_invoices(customer_id, subscription_id):
            void_invoice(context, provider, invoice_id)
    for one in provider.subscriptions_of(customer_id) if begun else ():
        if one.status == UNPAID_PURCHASE:
            end_subscription(context, provider, one.id)
    context.confirm_effects(*ENDINGS)


def _single_checkout(
    context: JobContext, application: Application, provider: BillingProvider, customer_id: str, price_id: str
) -> Page:
    """This job's checkout, found or made."""
    job_id, home = context.job.job_id, home_of(application, context.organisation_id)
    mine = _own_checkout(provider, customer_id, job_id)
    if mine is not None:
        return mine
    request = CheckoutRequest(
        customer_id, price_id, context.organisation_id, job_id, success_url=f"{home}/return", cancel_url=home
    )
    return make(
        partial(provider.create_checkout, request),
        partial(_own_checkout, provider, customer_id, job_id),
        f"pigi-{job_id}-checkout",
    )


def _own_checkout(provider: BillingProvider, customer_id: str, job_id: str) -> Page | None:
    """The checkout that the job has made, if it can still be paid."""
    return next((one for one in provider.open_checkouts(customer_id) if one.job_id == job_id), None)


def _stand_alone(context: JobContext, provider: BillingProvider, customer_id: str, page: Page) -> None:
    """Close the page again unless it may stand: what was looked at before it was made may have changed meanwhile.

    Of jobs at the same moment the one whose page came second sees both pages, and the newest job's stays. A page
    that a deletion's closing came too early to see is closed here.
    """
    others = [one for one in provider.open_checkouts(customer_id) if one.id != page.id]
    outdone = [one for one in others if one.job_id is None or one.job_id < context.job.job_id]
    for one in outdone:
        provider.expire_checkout(one.id)
    bought = _standing(provider.subscriptions_of(customer_id))
    with context.control.quick() as connection:
        closed = active_organisation_of(connection, customer_id) is None or _is_granted(connection, context)
    if bought or closed or len(outdone) < len(others):
        provider.expire_checkout(page.id)
        context.settle_effect("checkout", None)
        raise Permanent("already_subscribed" if bought else "billing_moot")
