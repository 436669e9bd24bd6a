"""Keeping Stripe's customer in step (P09, P29): its name is the organisation's, its address an owner's.

Stripe mails invoices, receipts and reminders, so it must know where to. Pigi keeps no address for that: it is read
when it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pigi.jobs.enqueue import enqueue
from pigi.jobs.kinds import FOLLOW_CONTACT
from pigi.operations.billing_accounts import ACCOUNT, contact_of, customer_of
from pigi.store.control import Organisation
from pigi.store.people import Membership

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.context import JobContext
    from pigi.ports.billing import BillingProvider, Contact
    from pigi.store.sessions import ControlDatabase, ControlSession

MOST_CHANGES = 5
"""Within one job; somebody who goes on changing makes further jobs."""


def contact_changed(session: ControlSession, application: Application, organisation_id: str, by: str) -> None:
    """Have the customer follow, if there is one; part of the transaction that changes a name or an owner."""
    if customer_of(session.connection(), organisation_id) is not None:
        enqueue(session, application.bell, FOLLOW_CONTACT, organisation_id=organisation_id, asked_by=by)


def address_changed(session: ControlSession, application: Application, account_id: str, by: str) -> None:
    """`contact_changed` for each organisation to which the account belongs."""
    theirs = (
        select(Membership.organisation_id)
        .join(ACCOUNT, ACCOUNT.c.organisation_id == Membership.organisation_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.account_id == account_id, Organisation.state == "active")
    )
    for organisation_id in session.scalars(theirs).all():
        contact_changed(session, application, organisation_id, by)


def follow_contact(context: JobContext, provider: BillingProvider) -> None:
    """Put the customer in step with the organisation, as both are now."""
    with context.control.quick() as connection:
        customer_id = customer_of(connection, context.organisation_id)
    if customer_id is not None:
        keep_in_step(context, provider, customer_id)


def keep_in_step(context: JobContext, provider: BillingProvider, customer_id: str) -> bool:
    """Read the customer, and write its name and address if they are others; False if it was deleted at the provider."""
    customer = provider.read_customer(customer_id, _contact(context.control, context.organisation_id))
    if customer is not None and customer.in_step is False:
        write_contact(context, provider, customer_id)
    elif customer is not None:
        # Perhaps an earlier attempt wrote it and never heard of that.
        context.confirm_effects("contact")
    return customer is not None


def write_contact(context: JobContext, provider: BillingProvider, customer_id: str) -> None:
    """Write name and address, until they are still the same after the writing: two changes may overlap."""
    contact = _contact(context.control, context.organisation_id)
    if contact is None:
        return
    context.begin_effect("contact")
    for change in range(MOST_CHANGES):
        context.checkpoint()
        # Not the effect's own key: what is written may differ from try to try, and writing it twice is harmless.
        key = f"pigi-{context.job.job_id}-contact-{context.job.attempt}-{change}"
        provider.update_customer(customer_id, contact, key)
        now_contact = _contact(context.control, context.organisation_id)
        if now_contact is None or now_contact == contact:
            break
        contact = now_contact
    context.settle_effect("contact", None)


def _contact(control: ControlDatabase, organisation_id: str) -> Contact | None:
    with control.quick() as connection:
        return contact_of(connection, organisation_id)
