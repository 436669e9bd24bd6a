"""Mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.kinds import SEND_MAIL
from pigi.operations import mail, mail_sending
from tasks.runtime import job

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.job_state import JobState
    from pigi.jobs.context import JobContext
    from tasks.runtime import Hands


def settle(
    application: Application, _organisation_id: str | None, mail_id: str, _state: JobState, ended_at: datetime
) -> None:
    """Write the outcome into the ledger at the end of the job, on every path."""
    mail.settle_mail(application, mail_id, ended_at)


@job(SEND_MAIL, closing=settle)
def send_mail(context: JobContext, hands: Hands) -> None:
    """Send one mail."""
    mail_sending.send_mail(context, hands.application, hands.gateways)
