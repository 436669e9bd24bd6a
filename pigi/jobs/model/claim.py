"""A claim: what a worker holds of a job, and why it must stop before the job's end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - x


@dataclass(frozen=True)
class Claim:
    """A job held by this worker until its lease ends. ``token`` goes with every write."""

    job_id: str
    kind: str
    queue: str
    partition: str
    organisation_id: str | None
    subject_id: str | None
    attempt: int
    failures: int
    deadline_at: datetime
    token: str

    @property
    def mine(self) -> dict[str, str]:
        """The parameters of `moves.MINE`."""
        return {"job_id": self.job_id, "token": self.token}


class Stop(Exception):  # noqa: N818 - see the module's docstring
    """Base of all; an operation lets it pass."""


class Cancelled(Stop):
    """Somebody asked for it."""


class Fenced(Stop):
    """The organisation was deleted or restricted after this was asked."""


class LeaseLost(Stop):
    """Another worker has the job by now; this one may change nothing more."""


class HandBack(Stop):
    """The worker is stopping; another shall go on."""
