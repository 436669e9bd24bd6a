"""Checkout and portal: the jobs that open a page at Stripe's, each once.

Whether a customer or a checkout was made is asked of Stripe before it is made again: a try may have timed out after
it was done, and idempotency keys are forgotten after a day.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.subscriptions import STANDING, prevailing
from pigi.errors import Permanent
from pigi.operations.billing_accounts import SLACK, adopt_customer, customer_of, forget_customer, intend_customer
from pigi.operations.billing_contacts import keep_in_step, write_contact
from pigi.operations.billing_sync import sync_customer
from pigi.ports.billing import CheckoutRequest
from pigi.store.billing import BillingLink

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.context import JobContext
    from pigi.ports.billing import BillingProvider, Page

LINK: Any = BillingLink.__table__
LATEST = timedelta(hours=23)
"""After this nobody waits for the page any more, and an idempotency key may be forgotten before the next try."""


def open_checkout(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Open the page on which the organisation buys a subscription.

    Raises:
        Permanent: ``already_subscribed``, ``billing_moot`` once nobody waits any more, and as `BillingProvider`.
        Temporary: as `BillingProvider`.
    """
    link = _link(context)
    customer_id = sure_customer(context, provider)
    found = prevailing(provider.subscriptions_of(customer_id))
    if found is not None and found.status in STANDING:
        # Perhaps nobody told Pigi of it yet.
        sync_customer(application, provider, customer_id)
        raise Permanent("already_subscribed")
    context.checkpoint()
    begun = context.begin_effect("checkout")
    if begun.settled:
        return
    if begun.tries > 1 and provider.has_ended_checkout(customer_id, context.job.job_id, link.created_at - SLACK):
        raise Permanent("billing_moot")
    page = _single_checkout(context, application, provider, customer_id, link.price_id)
    _keep_url(context, application, page)
    context.settle_effect("checkout", page.id)


def open_portal(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Open the page on which the customer changes or ends what it has.

    Raises:
        Permanent: ``billing_no_customer``, ``billing_moot``, and as `BillingProvider`.
        Temporary: as `BillingProvider`.
    """
    link = _link(context)
    with context.control.quick() as connection:
        customer_id = customer_of(connection, context.organisation_id)
    if customer_id is None:
        raise Permanent("billing_no_customer")
    if context.begin_effect("portal").settled:
        return
    back, key = _home(application, context.organisation_id), f"pigi-{context.job.job_id}-portal"
    payment = link.page == "payment-method"
    page = provider.create_portal(customer_id, f"{back}/return", key, payment_method=payment)
    _keep_url(context, application, page)
    context.settle_effect("portal", page.id)


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
            account = forget_customer(connection, organisation_id, account.customer_id)
    context.begin_effect("customer")
    found = provider.find_customer(organisation_id, account.intended_at - SLACK) if perhaps_made else None
    # The organisation's key, not the job's: of two jobs that do this at once, both get the same customer.
    key = f"pigi-{organisation_id}-customer-{account.intended_at.timestamp():.6f}"
    found = found or provider.create_customer(organisation_id, key)
    with context.control.transaction() as connection:
        customer_id = adopt_customer(connection, organisation_id, found)
    context.settle_effect("customer", customer_id)
    write_contact(context, provider, customer_id)
    return customer_id


def _single_checkout(
    context: JobContext, application: Application, provider: BillingProvider, customer_id: str, price_id: str
) -> Page:
    """This job's checkout, found or made; every other that could still be paid is closed."""
    job_id, home = context.job.job_id, _home(application, context.organisation_id)
    mine = None
    for checkout in provider.open_checkouts(customer_id):
        if checkout.job_id == job_id:
            mine = checkout
        else:
            provider.expire_checkout(checkout.id)
    if mine is not None:
        return mine
    request = CheckoutRequest(
        customer_id, price_id, context.organisation_id, job_id, success_url=f"{home}/return", cancel_url=home
    )
    return provider.create_checkout(request, f"pigi-{job_id}-checkout")


def _home(application: Application, organisation_id: str) -> str:
    """The organisation's billing page, to which Stripe sends people back. Nothing that it could tell is believed."""
    return f"{application.settings.public_url.rstrip('/')}/o/{organisation_id}/billing"


def _link(context: JobContext) -> Any:
    with context.control.quick() as connection:
        link = connection.execute(select(LINK).where(LINK.c.id == context.subject_id)).first()
    if link is None or link.created_at + LATEST < now():
        raise Permanent("billing_moot")
    return link


def _keep_url(context: JobContext, application: Application, page: Page) -> None:
    """Seal the address with the organisation's key: it opens the page for whoever has it."""
    with application.tenants.read(context.organisation_id) as tenant:
        sealed = tenant.sealer.seal(page.url, LINK.name, "url", context.subject_id)
    with context.control.transaction() as connection:
        connection.execute(update(LINK).where(LINK.c.id == context.subject_id).values(url=sealed))
