"""Bodies of the jobs about money: pages at Stripe, syncs, contacts, reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import FOLLOW_CONTACT, OPEN_CHECKOUT, OPEN_PORTAL, RECONCILE_BILLING, SYNC_BILLING
from pigi.operations import billing
from pigi.operations.billing import provider_of

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(OPEN_CHECKOUT)
def open_checkout(context: JobContext, worker_context: WorkerContext) -> None:
    """Open the page on which a subscription is bought."""
    billing.open_checkout(context, worker_context.application, provider_of(worker_context.gateways))


@job(OPEN_PORTAL)
def open_portal(context: JobContext, worker_context: WorkerContext) -> None:
    """Open the page on which a subscription is changed or ended."""
    billing.open_portal(context, worker_context.application, provider_of(worker_context.gateways))


@job(SYNC_BILLING)
def sync_billing(context: JobContext, worker_context: WorkerContext) -> None:
    """Store how a customer stands at Stripe."""
    billing.sync(context, worker_context.application, provider_of(worker_context.gateways))


@job(FOLLOW_CONTACT)
def follow_contact(context: JobContext, worker_context: WorkerContext) -> None:
    """Put a customer's name and address in step."""
    billing.follow_contact(context, provider_of(worker_context.gateways))


@job(RECONCILE_BILLING)
def reconcile_billing(context: JobContext, worker_context: WorkerContext) -> None:
    """Hold all that Stripe has against all that Pigi has."""
    if worker_context.application.plans.charged:
        billing.reconcile(context, worker_context.application, provider_of(worker_context.gateways))
