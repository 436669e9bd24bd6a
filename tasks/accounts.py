"""Bodies of the jobs about accounts: their deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import PURGE_ACCOUNT
from pigi.operations import deletion

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(PURGE_ACCOUNT)
def purge_account(context: JobContext, worker_context: WorkerContext) -> None:
    """Remove one account for good."""
    deletion.purge_account(context, worker_context.application, worker_context.gateways)
