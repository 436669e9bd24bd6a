"""Bodies of the jobs that write exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import EXPORT_ACCESS, EXPORT_CONFIGURATION
from pigi.operations import exports

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(EXPORT_CONFIGURATION)
def write_configuration(context: JobContext, worker_context: WorkerContext) -> None:
    """Write an organisation's configuration into a file."""
    exports.write_configuration(context, worker_context.application)


@job(EXPORT_ACCESS)
def write_access(context: JobContext, worker_context: WorkerContext) -> None:
    """Write what is held about a person into a file."""
    exports.write_access(context, worker_context.application)
