"""Body of the job that warns of API keys that are about to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import WARN_OF_KEYS
from pigi.operations import api_keys

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(WARN_OF_KEYS)
def warn_of_ends(context: JobContext, worker_context: WorkerContext) -> None:
    """Mail those who can rotate the keys that end soon."""
    api_keys.warn_of_ends(context, worker_context.application)
