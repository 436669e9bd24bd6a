"""Pages at Stripe: the bodies of the jobs that open a checkout or the customer portal, and make the customer."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.subscriptions import ONGOING, UNPAID_PURCHASE
from pigi.errors import Misconfigured, Permanent, Temporary
from pigi.operations.billing.cancellation import ENDINGS, end_subscription, void_invoice
from pigi.operations.billing.customers import (
    SLACK,
    active_organisation_of,
    adopt_customer,
    customer_of,
    find_account,
    forget_customer,
    intend_customer,
    update_contact,
    write_contact,
)
from pigi.operations.billing.events import forget_events
from pigi.operations.billing.sync import sync_customer
from pigi.ports.billing import CheckoutRequest, RepeatedFailure
from pigi.store.billing import BillingLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.subscriptions import Subscription
    from pigi.jobs.execution.context import JobContext
    from pigi.ports import Gateways
    from pigi.ports.billing import BillingProvider, Page


def provider_of(gateways: Gateways) -> BillingProvider:
    """The provider; raises Temporary ``billing_unconfigured`` where none is set up, so that no event is lost."""
    try:
        return gateways.billing
    except Misconfigured:
        raise Temporary("billing_unconfigured") from None


Made = TypeVar("Made")
MOST_KEYS = 5
"""As many answers of one kind of failure as a provider may keep for a single thing to be made."""


def make(create: Callable[[str], Made], find: Callable[[], Made | None], key: str) -> Made:
    """Make something under an idempotency key; where the provider only repeats an earlier failure, under a further one.

    The failed request may have made it all the same, so ``find`` looks for it before. A failure that is no
    repetition is raised: its request may still be at work. Raises as `BillingProvider`.
    """
    for number in range(MOST_KEYS):
        try:
            return create(f"{key}-{number}" if number else key)
        except RepeatedFailure:
            found = find()
        if found is not None:
            return found
    raise RepeatedFailure


LINK: Any = BillingLink.__table__
LATEST = timedelta(hours=23)
"""After this nobody waits for the page any more, and an idempotency key may be forgotten before the next try."""


def open_portal(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Open the page on which the customer changes or ends what it has.

    Raises:
        Permanent: ``billing_no_customer``, ``billing_moot``, and as `BillingProvider`.
        Temporary: as `BillingProvider`.
    """
    link = read_link_request(context)
    with context.control.autocommit() as connection:
        customer_id = customer_of(connection, context.organisation_id)
    if customer_id is None:
        raise Permanent("billing_no_customer")
    if context.begin_effect("portal").settled:
        return
    back, key = home_of(application, context.organisation_id), f"pigi-{context.job.job_id}-portal"
    payment = link.page == "payment-method"
    create = partial(provider.create_portal, customer_id, f"{back}/return", payment_method=payment)
    page = make(create, lambda: None, key)
    keep_url(context, application, page)
    context.complete_effect("portal", None)


def home_of(application: Application, organisation_id: str) -> str:
    """The organisation's billing page, to which Stripe sends people back. Nothing that they bring back is believed."""
    return f"{application.settings.public_url.rstrip('/')}/o/{organisation_id}/billing"


def read_link_request(context: JobContext) -> Any:
    """The row of the requested page; raises Permanent ``billing_moot`` once nobody waits for it any more."""
    with context.control.autocommit() as connection:
        link = connection.execute(select(LINK).where(LINK.c.id == context.subject_id)).first()
    if link is None or link.created_at + LATEST < now():
        raise Permanent("billing_moot")
    return link


def keep_url(context: JobContext, application: Application, page: Page) -> None:
    """Seal the address with the organisation's key: it opens the page for whoever has it."""
    with application.tenants.read(context.organisation_id) as tenant:
        sealed = tenant.sealer.seal(page.url, LINK.name, "url", context.subject_id)
    with context.control.transaction() as connection:
        connection.execute(update(LINK).where(LINK.c.id == context.subject_id).values(url=sealed))


def open_checkout(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Open the page on which the organisation buys a subscription.

    Raises:
        Permanent: ``already_subscribed``, ``plan_granted``, ``billing_moot`` once nobody waits any more, and as
            `BillingProvider`.
        Temporary: as `BillingProvider`.
    """
    link = read_link_request(context)
    with context.control.autocommit() as connection:
        if _is_granted(connection, context):
            raise Permanent("plan_granted")
    customer_id = ensure_customer(context, provider)
    subscriptions = provider.subscriptions_of(customer_id)
    if _is_subscribed(subscriptions):
        # Perhaps no event of it has arrived yet.
        sync_customer(application, provider, customer_id)
        raise Permanent("already_subscribed")
    _cancel_unpaid(context, provider, customer_id, subscriptions)
    context.checkpoint()
    begun = context.begin_effect("checkout")
    if begun.settled and link.url is not None:
        return
    since = link.created_at - SLACK
    if begun.settled or (begun.tries > 1 and provider.has_ended_checkout(customer_id, context.job.job_id, since)):
        raise Permanent("billing_moot")
    page = _single_checkout(context, application, provider, customer_id, link.price_id)
    _expire_if_superseded(context, provider, customer_id, page)
    keep_url(context, application, page)
    context.complete_effect("checkout", None)


def _is_granted(connection: Connection, context: JobContext) -> bool:
    account = find_account(connection, context.organisation_id)
    return account is not None and account.granted is not None


def _is_subscribed(subscriptions: Iterable[Subscription]) -> bool:
    return any(one.status in ONGOING for one in subscriptions)


def ensure_customer(context: JobContext, provider: BillingProvider) -> str:
    """The id of the organisation's customer, made if there is none, with the name and address of today."""
    organisation_id = context.organisation_id
    with context.control.transaction() as connection:
        account, perhaps_made = intend_customer(connection, organisation_id)
    if account.customer_id is not None:
        if update_contact(context, provider, account.customer_id):
            return str(account.customer_id)
        # Somebody deleted it at Stripe's. What it had bought is over; the sync that is under way says so.
        with context.control.transaction() as connection:
            forget_events(connection, account.customer_id)
            account = forget_customer(connection, organisation_id, account.customer_id)
    context.begin_effect("customer")
    find = partial(provider.find_customer, organisation_id, account.intended_at - SLACK)
    found = find() if perhaps_made else None
    # The organisation's key, not the job's: of two jobs that do this at once, both get the same customer.
    key = f"pigi-{organisation_id}-customer-{account.intended_at.timestamp():.6f}"
    found = found or make(partial(provider.create_customer, organisation_id), find, key)
    with context.control.transaction() as connection:
        customer_id = adopt_customer(connection, organisation_id, found)
    context.complete_effect("customer", None)
    write_contact(context, provider, customer_id)
    return customer_id


def _cancel_unpaid(
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
    own = _own_checkout(provider, customer_id, job_id)
    if own is not None:
        return own
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


def _expire_if_superseded(context: JobContext, provider: BillingProvider, customer_id: str, page: Page) -> None:
    """Expire the page again if it is superseded: what was checked before it was made may have changed meanwhile.

    Of jobs at the same moment the one whose page came second sees both pages, and the newest job's stays. A page
    that the cancellation of a deleted organisation came too early to see is expired here.
    """
    others = [one for one in provider.open_checkouts(customer_id) if one.id != page.id]
    superseded = [one for one in others if one.job_id is None or one.job_id < context.job.job_id]
    for one in superseded:
        provider.expire_checkout(one.id)
    bought = _is_subscribed(provider.subscriptions_of(customer_id))
    with context.control.autocommit() as connection:
        closed = active_organisation_of(connection, customer_id) is None or _is_granted(connection, context)
    if bought or closed or len(superseded) < len(others):
        provider.expire_checkout(page.id)
        context.complete_effect("checkout", None)
        raise Permanent("already_subscribed" if bought else "billing_moot")
