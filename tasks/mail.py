"""Mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import SEND_MAIL
from pigi.operations import mail

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import Hands


@job(SEND_MAIL)
def send_mail(context: JobContext, hands: Hands) -> None:
    """Send one mail."""
    mail.send_mail(context, hands.application, hands.gateways)
