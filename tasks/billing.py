"""Money, through Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kinds import FOLLOW_CONTACT, OPEN_CHECKOUT, OPEN_PORTAL, RECONCILE_BILLING, SYNC_BILLING
from pigi.operations import billing_checkouts, billing_contacts, billing_pages, billing_reconciling, billing_sync
from pigi.operations.billing_provider import provider_of
from tasks.runtime import job

if TYPE_CHECKING:
    from pigi.jobs.context import JobContext
    from tasks.runtime import Hands


@job(OPEN_CHECKOUT)
def open_checkout(context: JobContext, hands: Hands) -> None:
    """Open the page on which a subscription is bought."""
    billing_checkouts.open_checkout(context, hands.application, provider_of(hands.gateways))


@job(OPEN_PORTAL)
def open_portal(context: JobContext, hands: Hands) -> None:
    """Open the page on which a subscription is changed or ended."""
    billing_pages.open_portal(context, hands.application, provider_of(hands.gateways))


@job(SYNC_BILLING)
def sync_billing(context: JobContext, hands: Hands) -> None:
    """Store how a customer stands at Stripe."""
    billing_sync.sync(context, hands.application, provider_of(hands.gateways))


@job(FOLLOW_CONTACT)
def follow_contact(context: JobContext, hands: Hands) -> None:
    """Put a customer's name and address in step."""
    billing_contacts.follow_contact(context, provider_of(hands.gateways))


@job(RECONCILE_BILLING)
def reconcile_billing(context: JobContext, hands: Hands) -> None:
    """Hold all that Stripe has against all that Pigi has."""
    if hands.application.plans.charged:
        billing_reconciling.reconcile(context, hands.application, provider_of(hands.gateways))
