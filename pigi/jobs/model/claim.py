"""A claim: what a worker holds of a job, and why it must stop before the job's end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Claim:
    """A job held by this worker until its lease ends. ``token`` goes with every write."""

    job_id: str
    kind: str
    queue: str
    partition: str
    organisation_id: str | None
    subject_id: str | None
    requested_by: str
    attempt: int
    failures: int
    deadline_at: datetime
    token: str

    @property
    def mine(self) -> dict[str, str]:
        """The parameters of `pigi.jobs.model.transitions.MINE`."""
        return {"job_id": self.job_id, "token": self.token}


class JobInterrupt(Exception):  # noqa: N818 - not an error: a reason to stop, which an operation lets pass
    """A reason to interrupt a job before its end; an operation lets it pass."""


class Cancelled(JobInterrupt):
    """Somebody cancelled the job."""

    code = "cancelled"


class Fenced(JobInterrupt):
    """The organisation was deleted after the job was requested."""

    code = "fenced"


class Restricted(JobInterrupt):
    """Whoever requested the job stopped the use of their data since; ``code`` says how."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LeaseLost(JobInterrupt):
    """Another worker has the job by now; this one may change nothing more."""


class HandBack(JobInterrupt):
    """The worker is stopping; another shall go on."""
