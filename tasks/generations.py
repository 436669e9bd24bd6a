"""Bodies of the jobs about generations: writing a draft, clearing away orphans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import GENERATE_DRAFT, SWEEP_GENERATIONS
from pigi.operations import generations

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(GENERATE_DRAFT)
def write_draft(context: JobContext, worker_context: WorkerContext) -> None:
    """Draft a resource from a name and a purpose."""
    generations.write_draft(context, worker_context.application.tenants, worker_context.gateways.model)


@job(SWEEP_GENERATIONS)
def sweep_generations(context: JobContext, worker_context: WorkerContext) -> None:
    """Remove generations that a crash left without a job."""
    generations.sweep_generations(context, worker_context.application.tenants)
