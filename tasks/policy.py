"""Bodies of the jobs that announce a new policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import ANNOUNCE_POLICY
from pigi.operations import policy

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(ANNOUNCE_POLICY)
def announce_policy(context: JobContext, worker_context: WorkerContext) -> None:
    """Ask for the mails about material versions."""
    policy.announce_policy(context, worker_context.application)
