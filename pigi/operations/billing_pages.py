"""Pages at Stripe's: the portal's job, and what it shares with `pigi.operations.billing_checkouts`."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.errors import Permanent
from pigi.operations.billing_accounts import customer_of
from pigi.operations.billing_provider import make
from pigi.store.billing import BillingLink

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.context import JobContext
    from pigi.ports.billing import BillingProvider, Page

LINK: Any = BillingLink.__table__
LATEST = timedelta(hours=23)
"""After this nobody waits for the page any more, and an idempotency key may be forgotten before the next try."""


def open_portal(context: JobContext, application: Application, provider: BillingProvider) -> None:
    """Open the page on which the customer changes or ends what it has.

    Raises:
        Permanent: ``billing_no_customer``, ``billing_moot``, and as `BillingProvider`.
        Temporary: as `BillingProvider`.
    """
    link = read_asked(context)
    with context.control.quick() as connection:
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
    context.settle_effect("portal", None)


def home_of(application: Application, organisation_id: str) -> str:
    """The organisation's billing page, to which Stripe sends people back. Nothing that it could tell is believed."""
    return f"{application.settings.public_url.rstrip('/')}/o/{organisation_id}/billing"


def read_asked(context: JobContext) -> Any:
    """What was asked for; raises Permanent ``billing_moot`` once nobody waits for it any more."""
    with context.control.quick() as connection:
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
