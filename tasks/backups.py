"""The body of the nightly backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import MAKE_BACKUP
from pigi.operations import backups

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(MAKE_BACKUP)
def make_backup(context: JobContext, worker_context: WorkerContext) -> None:
    """Copy all databases into the store of backups."""
    backups.make_daily(context, worker_context.application)
