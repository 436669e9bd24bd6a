"""Bodies of the jobs about imports: reading an upload, importing it, clearing away what nobody needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import ACCEPT_IMPORT, READ_IMPORT, SWEEP_IMPORTS
from pigi.operations import imports

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(READ_IMPORT)
def read_import(context: JobContext, worker_context: WorkerContext) -> None:
    """Read an upload and report what it would change."""
    imports.read_upload(context, worker_context.application)


@job(ACCEPT_IMPORT)
def accept_import(context: JobContext, worker_context: WorkerContext) -> None:
    """Make an upload configuration."""
    imports.import_configuration(context, worker_context.application)


@job(SWEEP_IMPORTS)
def sweep_imports(context: JobContext, worker_context: WorkerContext) -> None:
    """Remove uploads that a crash left behind."""
    imports.sweep_imports(context, worker_context.application)
