"""The one place that moves a job from state to state.

`move` builds an UPDATE that can only make a legal move, writes the timeline line in the same statement and
counts the change. Statements are built once, at import: building them costs more than running them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import String, bindparam, case, cast, exists, func, literal, literal_column, null, or_, select, update

from pigi.domain.job_state import ENDED, WAITING, JobState, sources
from pigi.store.control import Job, Organisation
from pigi.store.instants import Instant, database_now, database_now_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.dml import Update

JOB: Any = Job.__table__
NOW = database_now(literal_column("0"))

ID = JOB.c.id == bindparam("job_id")
MINE = ID & (JOB.c.lease_token == bindparam("token"))
"""The row, as long as the caller still holds its lease: every write of a worker carries this."""


def state_is(*states: JobState, of: Any = JOB) -> ColumnElement[bool]:
    """The state is one of these; written as literals, since a partial index is used only if the planner sees them."""
    found: ColumnElement[bool] = of.c.state.in_([literal_column(f"'{state}'") for state in sorted(states)])
    return found


def unfenced(of: Any = JOB) -> ColumnElement[bool]:
    """The organisation is what it was when the job was requested: not deleted or restricted since."""
    same = (Organisation.id == of.c.organisation_id, Organisation.epoch == of.c.epoch)
    return or_(of.c.organisation_id.is_(None), exists(select(1).where(*same)))


def claimable(of: Any = JOB) -> tuple[ColumnElement[bool], ...]:
    """What must hold, besides the state, for a job to be started."""
    return (of.c.due_at <= NOW, of.c.cancel_requested_at.is_(None), unfenced(of))


IS_WAITING = state_is(*WAITING)
IS_RUNNING = state_is(JobState.RUNNING)
IS_ENDED = state_is(*ENDED)
UNFENCED = unfenced()

REASON = bindparam("reason", type_=String)


def move(target: JobState, *conditions: ColumnElement[bool], reason: Any = None, **values: Any) -> Update:
    """An UPDATE to ``target`` from where the state table allows it, when ``conditions`` hold.

    ``reason`` is a code (a string or a bound parameter); ``values`` are further columns to set.
    """
    attempt = cast(values.get("attempt", JOB.c.attempt), String)
    why = literal("-") if reason is None else func.coalesce(reason, "-") if hasattr(reason, "type") else literal(reason)
    line = JOB.c.timeline + database_now_text() + f" {target} " + attempt + " " + why + "\n"
    state = state_is(*sources(target))
    return (
        update(JOB)
        .where(*conditions, state)
        .values(state=target.value, reason=reason, revision=JOB.c.revision + 1, timeline=line, **values)
    )


CLAIM_COLUMNS = (
    JOB.c.id.label("job_id"),
    JOB.c.kind,
    JOB.c.queue,
    JOB.c.partition.label("partition"),
    JOB.c.organisation_id,
    JOB.c.subject_id,
    JOB.c.requested_by.label("requested_by"),
    JOB.c.attempt,
    JOB.c.failures,
    JOB.c.deadline_at,
    JOB.c.lease_token.label("token"),
)
"""What a claim needs to know of its row, named as `pigi.jobs.model.claim.Claim` names it."""

_CLAIMING: dict[str, Any] = {
    "attempt": JOB.c.attempt + 1,
    "lease_token": bindparam("token"),
    "lease_until": database_now(bindparam("lease")),
    "published_at": func.coalesce(JOB.c.published_at, NOW),
    "started_at": func.coalesce(JOB.c.started_at, NOW),
    "deadline_at": func.coalesce(JOB.c.deadline_at, database_now(bindparam("retry_window"))),
}

CLAIM = move(JobState.RUNNING, ID, *claimable(), **_CLAIMING).returning(*CLAIM_COLUMNS)


def claim_next(*, skip_locked: bool) -> Any:
    """A claim of the job of a kind that was published first and is not taken yet, of whichever partition."""
    published = JOB.alias("published")
    first = (
        select(published.c.id)
        .where(
            published.c.published_at.is_not(None),
            published.c.kind == bindparam("of_kind"),
            state_is(*WAITING, of=published),
            *claimable(published),
        )
        .order_by(published.c.published_at)
        .limit(1)
    )
    if skip_locked:
        first = first.with_for_update(skip_locked=True, of=published)
    return move(JobState.RUNNING, JOB.c.id == first.scalar_subquery(), **_CLAIMING).returning(*CLAIM_COLUMNS)


EXTEND = (
    update(JOB)
    .where(MINE, IS_RUNNING)
    .values(lease_until=database_now(bindparam("lease")))
    .returning(JOB.c.cancel_requested_at)
)
"""The heartbeat; no row means that the lease is lost."""

CHECK_LEASE = select(JOB.c.cancel_requested_at).where(MINE, IS_RUNNING)
"""What a heartbeat says, without one: it extends nothing, so it costs no write."""

FINISH = {
    target: move(
        target,
        MINE,
        IS_RUNNING,
        reason=REASON,
        finished_at=NOW,
        lease_until=None,
        published_at=None,
        cleanup_at=bindparam("cleanup_at", type_=Instant),
    )
    for target in sorted(ENDED)
}

RETRY = move(
    JobState.RETRYING,
    MINE,
    IS_RUNNING,
    reason=REASON,
    failures=JOB.c.failures + 1,
    due_at=database_now(bindparam("delay")),
    lease_until=None,
    published_at=None,
)

HAND_BACK = move(
    JobState.RETRYING,
    MINE,
    IS_RUNNING,
    reason="handed_back",
    due_at=NOW,
    lease_until=None,
    published_at=None,
)
"""A stopping worker returns the work: nobody failed, so nothing is counted."""

LAPSED = (MINE, IS_RUNNING, JOB.c.lease_until < NOW)

RESCUE = move(
    JobState.RETRYING,
    *LAPSED,
    reason="lease_lapsed",
    lost=JOB.c.lost + 1,
    due_at=NOW,
    lease_until=None,
    published_at=None,
)

GIVE_UP = move(
    JobState.FAILED,
    *LAPSED,
    reason="worker_lost",
    lost=JOB.c.lost + 1,
    finished_at=NOW,
    lease_until=None,
    published_at=None,
    cleanup_at=bindparam("cleanup_at", type_=Instant),
)


def _cancel_waiting(*conditions: ColumnElement[bool]) -> Update:
    return move(
        JobState.CANCELLED,
        ID,
        IS_WAITING,
        *conditions,
        reason=REASON,
        finished_at=NOW,
        published_at=None,
        cleanup_at=bindparam("cleanup_at", type_=Instant),
    )


CANCEL_WAITING = _cancel_waiting()
CANCEL_FLAGGED = _cancel_waiting(JOB.c.cancel_requested_at.is_not(None))
"""For a job that waits again, though somebody cancelled it while it ran."""


def end_all(reason: str, kinds_with_cleanup: Sequence[str]) -> Update:
    """End every job, also one that somebody holds: of a state that was restored, nothing may take effect once more."""
    cleanup = case((JOB.c.kind.in_(kinds_with_cleanup), NOW), else_=null())
    ended = {"finished_at": NOW, "lease_until": None, "published_at": None, "cleanup_at": cleanup}
    return move(JobState.CANCELLED, reason=reason, **ended)


FLAG_CANCEL = (
    update(JOB)
    .where(ID, IS_RUNNING, JOB.c.cancel_requested_at.is_(None))
    .values(cancel_requested_at=NOW, revision=JOB.c.revision + 1)
)

REQUEUE = move(
    JobState.QUEUED,
    ID,
    JOB.c.state == JobState.FAILED.value,
    UNFENCED,
    reason="retried_by_hand",
    due_at=NOW,
    failures=0,
    lost=0,
    deadline_at=None,
    lease_token=None,
    published_at=None,
    finished_at=None,
    cleanup_at=None,
    cleanup_failures=0,
    cancel_requested_at=None,
    progress_done=None,
    progress_total=None,
    progress_note=None,
)

PROGRESS = (
    update(JOB)
    .where(MINE, IS_RUNNING)
    .values(
        progress_done=bindparam("done"),
        progress_total=bindparam("total"),
        progress_note=bindparam("note"),
        revision=JOB.c.revision + 1,
    )
)
