"""Enqueueing: a job's row in the control database, in the caller's transaction; its notification after the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, String, bindparam, case, event, func, insert, null, or_, select

from pigi.domain.job_state import JobState
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB, NOW
from pigi.jobs.model.view import JobView, view_of
from pigi.jobs.queueing.partitions import Notification, partition_of
from pigi.jobs.queues import QUEUES
from pigi.store.control import Organisation
from pigi.store.instants import database_now, database_now_text
from pigi.store.processing import refuse_stopped
from pigi.store.sessions import ControlSession

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.sql.dml import ReturningInsert

    from pigi.jobs.kind import Kind
    from pigi.jobs.queueing.notifications import Notifier


def _text(name: str) -> Any:
    return bindparam(name, type_=String)


def _insertion(epoch: Any) -> dict[str, Any]:
    active_job = JOB.alias("active_job")
    active = (
        select(func.count())
        .select_from(active_job)
        .where(active_job.c.partition == _text("partition"), active_job.c.published_at.is_not(None))
        .scalar_subquery()
    )
    published = (bindparam("due_in", type_=Integer) <= 0) & (active < bindparam("concurrency", type_=Integer))
    return {
        "id": _text("job_id"),
        "kind": _text("kind"),
        "queue": _text("queue"),
        "partition": _text("partition"),
        "organisation_id": _text("organisation_id"),
        "epoch": epoch,
        "subject_id": _text("subject_id"),
        "requested_by": _text("requested_by"),
        "state": bindparam("state", JobState.QUEUED.value, String),
        "created_at": NOW,
        "due_at": database_now(bindparam("due_in", type_=Integer)),
        "published_at": case((published, NOW), else_=null()),
        "attempt": bindparam("attempt", 0, Integer),
        "failures": bindparam("failures", 0, Integer),
        "lost": bindparam("lost", 0, Integer),
        "revision": bindparam("revision", 1, Integer),
        "timeline": database_now_text() + f" {JobState.QUEUED} 0 -\n",
        "schedule": _text("schedule"),
        "period": _text("period"),
    }


def _statement(*states: str) -> ReturningInsert[Any]:
    """Insert a job of an organisation in one of these states; without any, a job of Pigi's own."""
    values = _insertion(Organisation.epoch if states else bindparam("epoch", 0, Integer))
    source = select(*values.values())
    if states:
        source = source.where(
            Organisation.id == _text("organisation_id"), or_(*(Organisation.state == state for state in states))
        )
    return insert(JOB).from_select(list(values), source, include_defaults=False).returning(*JOB.c)


_FOR_ORGANISATION = _statement("active")
_WHILE_DELETING = _statement("active", "deleting")
_FOR_PIGI = _statement()


def enqueue(  # noqa: PLR0913 - a job's facts, each named at the call
    session: ControlSession,
    notifier: Notifier | None,
    kind: Kind,
    *,
    organisation_id: str | None,
    requested_by: str,
    subject_id: str | None = None,
    job_id: str | None = None,
    due_in: int = 0,
    schedule: str | None = None,
    period: str | None = None,
) -> JobView:
    """Add a job to the session's transaction; a worker is notified once that commits.

    Args:
        session: the transaction that the job belongs to.
        notifier: notifies a worker after the commit; None leaves it to the pump.
        kind: what to do.
        organisation_id: for whom; None for Pigi itself.
        requested_by: who asked, as an identifier.
        subject_id: what the job is about, an id in the organisation's database.
        job_id: the id to use, if it had to be known beforehand.
        due_in: seconds to wait, at least 0.
        schedule: the schedule that asks, with its ``period``; the pair is unique.
        period: see ``schedule``.

    Raises:
        Refused: ``organisation_closed`` if the organisation is not active, nor in its grace period where the kind may
            be done then; ``processing_restricted``, ``processing_objected`` if whoever asks stopped this use of their
            data.
    """
    refuse_stopped(session.connection(), requested_by, kind.use)
    parameters = {
        "job_id": job_id or new_id(),
        "kind": kind.name,
        "queue": kind.queue,
        "partition": partition_of(organisation_id, kind),
        "organisation_id": organisation_id,
        "subject_id": subject_id,
        "requested_by": requested_by,
        "due_in": due_in,
        "concurrency": QUEUES[kind.queue].concurrency,
        "schedule": schedule,
        "period": period,
    }
    of_organisation = _WHILE_DELETING if kind.while_deleting else _FOR_ORGANISATION
    statement = of_organisation if organisation_id else _FOR_PIGI
    row = session.connection().execute(statement, parameters).first()
    if row is None:
        raise Refused("organisation_closed")
    if row.published_at is not None and notifier is not None:
        notify_after_commit(session, notifier, [Notification(kind.queue, kind.name, row.id)])
    return view_of(row)


def notify_after_commit(session: ControlSession, notifier: Notifier, notifications: Iterable[Notification]) -> None:
    """Notify once the session's transaction has committed; never if it rolls back."""
    session.info["notifier"] = notifier
    session.info.setdefault("notifications", []).extend(notifications)


@event.listens_for(ControlSession, "after_commit")
def _notify(session: ControlSession) -> None:
    notifications = session.info.pop("notifications", None)
    if notifications:
        session.info["notifier"].notify(notifications)


@event.listens_for(ControlSession, "after_rollback")
def _forget(session: ControlSession) -> None:
    session.info.pop("notifications", None)
