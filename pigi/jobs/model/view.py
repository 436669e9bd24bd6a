"""What may be shown of a job: facts about the work, never content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pigi.domain.job_state import ENDED, Entry, JobState, read_timeline

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class EffectView:
    """An effect as the job's page lists it."""

    key: str
    state: str
    policy: str
    tries: int
    reference: str | None
    intended_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True)
class JobView:
    """A job as it stood at one moment. ``buried`` means that only its tombstone is left.

    ``queue``, ``partition`` and ``published_at`` (when it was handed to the broker, None while it waits in the
    database) say why a due job does not start; operators see them, organisations do not. None of a tombstone.
    ``requested_by`` is a pseudonym, or what requested it; None of a tombstone.
    ``receipt_id`` is set of the job that closes an organisation: the receipt that its deletion will leave.
    """

    id: str
    kind: str
    organisation_id: str | None
    subject_id: str | None
    state: str
    reason: str | None
    created_at: datetime
    due_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    failures: int
    cancel_requested: bool
    progress_done: int | None
    progress_total: int | None
    progress_note: str | None
    revision: int
    timeline: tuple[Entry, ...]
    effects: tuple[EffectView, ...] = ()
    buried: bool = False
    queue: str | None = None
    partition: str | None = None
    published_at: datetime | None = None
    receipt_id: str | None = None
    requested_by: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return JobState(self.state) in ENDED

    @property
    def next_try_at(self) -> datetime | None:
        """When a job that waits to be tried again is; None of any other."""
        return self.due_at if self.state == JobState.RETRYING else None

    def with_effects(self, effects: list[EffectView]) -> JobView:
        """The same with its effects."""
        return replace(self, effects=tuple(effects))


def view_of(row: Any) -> JobView:
    """The view of a row of the job table."""
    return JobView(
        id=row.id,
        kind=row.kind,
        organisation_id=row.organisation_id,
        subject_id=row.subject_id,
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        due_at=row.due_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempt=row.attempt,
        failures=row.failures,
        cancel_requested=row.cancel_requested_at is not None,
        progress_done=row.progress_done,
        progress_total=row.progress_total,
        progress_note=row.progress_note,
        revision=row.revision,
        timeline=tuple(read_timeline(row.timeline)),
        queue=row.queue,
        partition=row.partition,
        published_at=row.published_at,
        requested_by=row.requested_by,
    )


def view_of_tombstone(row: Any) -> JobView:
    """The view of what is left of a buried job."""
    return JobView(
        id=row.id,
        kind=row.kind,
        organisation_id=row.organisation_id,
        subject_id=None,
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        due_at=None,
        started_at=row.started_at,
        finished_at=row.finished_at,
        attempt=row.attempt,
        failures=0,
        cancel_requested=False,
        progress_done=None,
        progress_total=None,
        progress_note=None,
        revision=0,
        timeline=(),
        buried=True,
    )
