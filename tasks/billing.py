"""Money, through Stripe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import FOLLOW_CONTACT, OPEN_CHECKOUT, OPEN_PORTAL, RECONCILE_BILLING, SYNC_BILLING
from pigi.operations import billing
from pigi.operations.billing import provider_of

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import Hands


@job(OPEN_CHECKOUT)
def open_checkout(context: JobContext, hands: Hands) -> None:
    """Open the page on which a subscription is bought."""
    billing.open_checkout(context, hands.application, provider_of(hands.gateways))


@job(OPEN_PORTAL)
def open_portal(context: JobContext, hands: Hands) -> None:
    """Open the page on which a subscription is changed or ended."""
    billing.open_portal(context, hands.application, provider_of(hands.gateways))


@job(SYNC_BILLING)
def sync_billing(context: JobContext, hands: Hands) -> None:
    """Store how a customer stands at Stripe."""
    billing.sync(context, hands.application, provider_of(hands.gateways))


@job(FOLLOW_CONTACT)
def follow_contact(context: JobContext, hands: Hands) -> None:
    """Put a customer's name and address in step."""
    billing.follow_contact(context, provider_of(hands.gateways))


@job(RECONCILE_BILLING)
def reconcile_billing(context: JobContext, hands: Hands) -> None:
    """Hold all that Stripe has against all that Pigi has."""
    if hands.application.plans.charged:
        billing.reconcile(context, hands.application, provider_of(hands.gateways))
