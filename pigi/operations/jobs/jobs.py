"""Jobs as people see them: reading, listing, cancelling, and retrying by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypedDict

from sqlalchemy import bindparam, func, select

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.errors import Refused
from pigi.ids import first_id, is_id
from pigi.jobs.effects import REOPEN, effects_of
from pigi.jobs.execution.claims import cancel
from pigi.jobs.execution.cleanup import LEASE_HOLDS, clean_up_ended, lease_failed, lease_holds, release_lease
from pigi.jobs.kind import hook
from pigi.jobs.kinds import CATALOGUE, kind_of
from pigi.jobs.model import transitions
from pigi.jobs.model.transitions import JOB
from pigi.jobs.model.view import JobView, view_of, view_of_tombstone
from pigi.jobs.queueing.enqueue import notify_after_commit
from pigi.jobs.queueing.partitions import release
from pigi.store.control import Tombstone
from pigi.store.deletions import Deletion
from pigi.store.paging import read_stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Unpack

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.sql.dml import Update

    from pigi.application import Application
    from pigi.jobs.execution.cleanup import CleanupLease
    from pigi.jobs.kind import Kind
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession, JobView], None]

TOMBSTONE: Any = Tombstone.__table__
PAGE = 200
COUNTED = 10_000
"""Of the jobs that match, the newest so many are counted: a count costs as much as reading them."""
BY_KEYS, BY_PIGI = "api-keys", "pigi"
"""Groups of whoever requests jobs: any API key, and neither a person nor a key."""
RETRY_PERIOD = timedelta(seconds=30)
"""For how long a retry by hand keeps others off the job: far above what it takes, and over soon if it died."""


def read_job(application: Application, job_id: str, organisation_id: str | None, *, deletion: bool = False) -> JobView:
    """The job with its effects; ``organisation_id`` None is for operators. Raises Refused ``not_found``.

    With ``deletion`` it may be the job that cancels at Stripe, which is Pigi's own.
    """
    if not is_id(job_id):
        raise Refused("not_found")
    with application.control.autocommit() as connection:
        row = connection.execute(select(JOB).where(JOB.c.id == job_id)).first()
        if row is not None:
            view = view_of(row).with_effects(effects_of(connection, job_id))
        else:
            view = _tombstone_view(connection, job_id)
        about_it = deletion and kind_of(view.kind).subject_reading is not None
        if about_it:
            view = replace(view, receipt_id=connection.execute(_RECEIPT, {"subject": view.subject_id}).scalar())
    if organisation_id not in {None, view.subject_id if about_it else view.organisation_id}:
        raise Refused("not_found")
    return view


_RECEIPT = select(Deletion.receipt_id).where(Deletion.subject_id == bindparam("subject"))


def _tombstone_view(connection: Connection, job_id: str) -> JobView:
    row = connection.execute(select(TOMBSTONE).where(TOMBSTONE.c.id == job_id)).first()
    if row is None:
        raise Refused("not_found")
    return view_of_tombstone(row)


class WantedJobs(TypedDict, total=False):
    """Which jobs are looked for. What is left out, or None, is not asked for.

    ``requested_by`` is a pseudonym, or one of `BY_KEYS` and `BY_PIGI`; ``since`` and ``until`` are when a job was
    requested, the latter not included. Without ``housekeeping`` kinds are left out that nobody waits for
    (`pigi.jobs.kind.Kind`), unless ``kind`` names one.
    """

    state: str | None
    kind: str | None
    requested_by: str | None
    since: datetime | None
    until: datetime | None
    housekeeping: bool


def list_jobs(  # noqa: PLR0913 - a stretch, each part named at the call
    application: Application,
    organisation_id: str | None,
    *,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
    oldest_first: bool = False,
    **wanted: Unpack[WantedJobs],
) -> list[JobView]:
    """Jobs without effects, those requested last first, or ``oldest_first``; ``organisation_id`` None means all.

    ``before`` is the id of the last one of the page before, ``after`` that of the first one of the page after.
    """
    query = select(JOB).where(*_which(organisation_id, wanted))
    most = min(limit, PAGE)
    with application.control.autocommit() as connection:
        rows = read_stretch(
            connection.execute, query, JOB.c.id, limit=most, before=before, after=after, lowest_first=oldest_first
        )
        return [view_of(row) for row in rows]


def count_by_state(
    application: Application, organisation_id: str | None, **wanted: Unpack[WantedJobs]
) -> dict[str, int]:
    """How many jobs are in each state, of the newest `COUNTED` of those that `list_jobs` lists."""
    newest = select(JOB.c.state).where(*_which(organisation_id, wanted)).order_by(JOB.c.id.desc()).limit(COUNTED)
    found = newest.subquery()
    with application.control.autocommit() as connection:
        rows = connection.execute(select(found.c.state, func.count()).group_by(found.c.state))
        return {row[0]: row[1] for row in rows}


def _which(organisation_id: str | None, wanted: WantedJobs) -> list[ColumnElement[bool]]:
    equal = {"organisation_id": organisation_id, "state": wanted.get("state"), "kind": wanted.get("kind")}
    found = [JOB.c[column] == value for column, value in equal.items() if value is not None]
    if not wanted.get("housekeeping", True) and equal["kind"] is None:
        found.append(JOB.c.kind.not_in([kind.name for kind in CATALOGUE.values() if kind.is_housekeeping]))
    # Ids sort by the time they were made, so that a stretch of time is one of the index.
    if (since := wanted.get("since")) is not None:
        found.append(JOB.c.id >= first_id(since))
    if (until := wanted.get("until")) is not None:
        found.append(JOB.c.id < first_id(until))
    if (who := wanted.get("requested_by")) is not None:
        found.append(_requested_by(who))
    return found


def _requested_by(who: str) -> ColumnElement[bool]:
    by_key = JOB.c.requested_by.startswith("api-key:", autoescape=True)
    by_person = JOB.c.requested_by.startswith("account:", autoescape=True)
    groups: dict[str, ColumnElement[bool]] = {BY_KEYS: by_key, BY_PIGI: ~by_key & ~by_person}
    exactly: ColumnElement[bool] = JOB.c.requested_by == who
    return groups.get(who, exactly)


def revisions(application: Application, job_ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """The revision and state of each job that exists, in one query."""
    if not job_ids:
        return {}
    query = select(JOB.c.id, JOB.c.revision, JOB.c.state).where(JOB.c.id.in_(job_ids))
    with application.control.autocommit() as connection:
        return {row.id: (row.revision, row.state) for row in connection.execute(query)}


def cancel_job(
    application: Application,
    job_id: str,
    organisation_id: str | None,
    on_done: OnDone | None = None,
) -> JobView:
    """Cancel: a waiting job ends now, a running one at its next checkpoint; an ended one stays as it is.

    The answer's effects say what had already happened.
    """
    kind = kind_of(read_job(application, job_id, organisation_id).kind)
    with application.control.begin() as session:
        connection = session.connection()
        # Held still, or a job that goes from running to retrying in between would be missed in both places.
        if connection.execute(select(JOB.c.id).where(JOB.c.id == job_id).with_for_update()).first() is None:
            view = _tombstone_view(connection, job_id)
        else:
            notify_after_commit(session, application.notifier, cancel(connection, kind, job_id))
            row = connection.execute(select(JOB).where(JOB.c.id == job_id)).one()
            view = view_of(row).with_effects(effects_of(connection, job_id))
        if on_done is not None:
            on_done(session, view)
    if view.state == JobState.CANCELLED and not view.buried and row.cleanup_at is not None:
        clean_up_ended(kind_of(view.kind), application, application.control, job_id)
    return view


def retry_job(
    application: Application,
    job_id: str,
    organisation_id: str | None,
    purpose: str | None,
    on_done: OnDone | None = None,
) -> JobView:
    """Have a failed job done again: the same job, so effects that happened stay single.

    Of two at once one is refused. No transaction of the control database is open while the tenant is written.

    Raises Refused: ``not_found``; ``not_retryable`` unless it failed, its row still lives, its organisation is what it
    was and nobody cleans up after it or retries it just now; ``purpose_required`` if its kind needs what Pigi no
    longer holds.
    """
    view = read_job(application, job_id, organisation_id)
    kind = CATALOGUE.get(view.kind)
    if view.state != JobState.FAILED or view.buried or kind is None:
        raise Refused("not_retryable")
    if kind.restore is not None and purpose is None:
        raise Refused("purpose_required")
    if kind.cleanup is None:
        return _requeue(application, transitions.REQUEUE, {"job_id": job_id}, on_done)
    held = lease_failed(application.control, job_id, RETRY_PERIOD)
    if held is None:
        raise Refused("not_retryable")
    try:
        _restore(application, kind, held, purpose)
        return _requeue(
            application, transitions.REQUEUE.where(LEASE_HOLDS), {"job_id": job_id, "leased_until": held.until}, on_done
        )
    except BaseException:
        _give_up(application, kind, held)
        raise


def _restore(application: Application, kind: Kind, held: CleanupLease, purpose: str | None) -> None:
    def check() -> None:
        if not lease_holds(application.control, held):
            raise Refused("not_retryable")

    if kind.restore is not None and held.organisation_id is not None and held.subject_id is not None:
        hook(kind.restore)(application, held.job(check), purpose)


def _requeue(
    application: Application, statement: Update, parameters: dict[str, object], on_done: OnDone | None
) -> JobView:
    of_job = {"of_job": parameters["job_id"]}
    with application.control.begin() as session:
        connection = session.connection()
        if not connection.execute(statement, parameters).rowcount:
            raise Refused("not_retryable")
        connection.execute(REOPEN, of_job)
        row = connection.execute(select(JOB).where(JOB.c.id == parameters["job_id"])).one()
        notify_after_commit(session, application.notifier, release(connection, row.partition, row.queue))
        view = view_of(row).with_effects(effects_of(connection, row.id))
        if on_done is not None:
            on_done(session, view)
    return view


def _give_up(application: Application, kind: Kind, held: CleanupLease) -> None:
    """Leave the job as it was found, with no purpose; the pump does if this process dies, once the lease lapses."""
    application.notifier.notify(release_lease(application.control, held, now(), held.failures))
    clean_up_ended(kind, application, application.control, held.job_id)
