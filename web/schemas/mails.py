"""The mail log as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from web.schemas import Id, Told


class Mail(Told):
    """One mail: what it was and how it ended. ``unknown``: the server's answer was lost, so it may have arrived."""

    id: Id
    job_id: Id
    template: str
    state: Literal["queued", "sent", "unknown", "failed"]
    reason: str | None
    tries: int | None = Field(ge=0, description="Attempts so far; null once the job's details are gone.")
    created_at: datetime
    ended_at: datetime | None


class MailLog(Told):
    """Mails, newest first; ``next`` is the path of the following page, null on the last."""

    mails: list[Mail]
    next: str | None
