"""Retrying and cancelling many jobs at once, for operators; each is an act of its own, done once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.domain.job_state import JobState
from pigi.errors import Refused
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import IS_RUNNING, IS_WAITING, JOB, UNFENCED
from pigi.operations.jobs.jobs import cancel_job, retry_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Select

    from pigi.application import Application
    from pigi.operations.jobs.jobs import OnDone

BATCH = 100
"""Jobs that one request acts on: about a second of work. Whoever asked is told how many are left."""


@dataclass(frozen=True)
class Matching:
    """Which jobs: of this kind, of this organisation, that failed for this reason; None means any."""

    kind: str | None = None
    organisation_id: str | None = None
    reason: str | None = None

    def of(self, query: Select[Any]) -> Select[Any]:
        """The query, narrowed to them."""
        for column, value in (
            ("kind", self.kind),
            ("organisation_id", self.organisation_id),
            ("reason", self.reason),
        ):
            if value is not None:
                query = query.where(JOB.c[column] == value)
        return query


@dataclass(frozen=True)
class Outcome:
    """What came of it: how many were acted on, why others were not, by code, and whether more are left."""

    done: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    more: bool = False


def retry_all(application: Application, wanted: Matching, on_done: OnDone) -> Outcome:
    """Have failed jobs done again, the oldest first, up to `BATCH`; asked twice at once, each is retried once.

    Not those of kinds whose retry needs what Pigi erased, and not those of organisations that were deleted since.
    """
    retryable = [kind.name for kind in CATALOGUE.values() if kind.restore is None]
    failed = select(JOB.c.id).where(JOB.c.state == JobState.FAILED, JOB.c.kind.in_(retryable), UNFENCED)
    return _each(application, wanted.of(failed), lambda job_id: retry_job(application, job_id, None, None, on_done))


def cancel_all(application: Application, wanted: Matching, on_done: OnDone) -> Outcome:
    """Cancel jobs that wait or run, the oldest first, up to `BATCH`."""
    open_jobs = select(JOB.c.id).where(IS_WAITING | IS_RUNNING, JOB.c.cancel_requested_at.is_(None))
    return _each(application, wanted.of(open_jobs), lambda job_id: cancel_job(application, job_id, None, on_done))


def _each(application: Application, query: Select[Any], act: Callable[[str], object]) -> Outcome:
    with application.control.autocommit() as connection:
        found = [row.id for row in connection.execute(query.order_by(JOB.c.id).limit(BATCH + 1))]
    done, refused = 0, Counter[str]()
    for job_id in found[:BATCH]:
        try:
            act(job_id)
        except Refused as refusal:
            # Somebody else acted on it meanwhile, or it ended.
            refused[refusal.code] += 1
        else:
            done += 1
    return Outcome(done, dict(refused), more=len(found) > BATCH)
