"""Bodies of the jobs about organisations: their databases, their deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import CLOSE_ORGANISATION, MIGRATE_ORGANISATION, PURGE_ORGANISATION, SWEEP_ORGANISATIONS
from pigi.operations import deletion, organisations

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(MIGRATE_ORGANISATION)
def migrate_organisation(context: JobContext, worker_context: WorkerContext) -> None:
    """Bring one organisation's database to the newest revision."""
    organisations.migrate_organisation(context, worker_context.application.tenants)


@job(CLOSE_ORGANISATION)
def close_organisation(context: JobContext, worker_context: WorkerContext) -> None:
    """End what a deleted organisation has at Stripe."""
    deletion.close_organisation(context, worker_context.application, worker_context.gateways)


@job(PURGE_ORGANISATION)
def purge_organisation(context: JobContext, worker_context: WorkerContext) -> None:
    """Remove one organisation for good."""
    deletion.purge_organisation(context, worker_context.application, worker_context.gateways)


@job(SWEEP_ORGANISATIONS)
def sweep_organisations(context: JobContext, worker_context: WorkerContext) -> None:
    """Ask for what deletions are owed."""
    deletion.sweep_organisations(context, worker_context.application)
