"""Bodies of the jobs that send mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import NOTIFY_OF_POLICY, SEND_MAIL
from pigi.operations import mail

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


@job(NOTIFY_OF_POLICY)
@job(SEND_MAIL)
def send_mail(context: JobContext, worker_context: WorkerContext) -> None:
    """Send one mail."""
    mail.send_mail(context, worker_context.application, worker_context.gateways)
