"""Deleting an organisation (P26): access and subscription end at once, and for a week its owners can undo it.

The epoch rises when it is deleted and when it is restored, so nothing that was requested before happens afterwards
(`pigi.jobs.model.transitions.unfenced`). What follows the grace period is in `pigi.operations.deletion.purge`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import Action, OrganisationState
from pigi.domain.job_state import ENDED, JobState
from pigi.domain.retention import GRACE
from pigi.domain.subscriptions import ENDED as OVER
from pigi.domain.subscriptions import NONE
from pigi.errors import Refused
from pigi.jobs.execution.claims import cancel
from pigi.jobs.execution.isolation import for_each
from pigi.jobs.kinds import CLOSE_ORGANISATION, MIGRATE_ORGANISATION, PURGE_ORGANISATION, SYNC_BILLING
from pigi.jobs.model.transitions import JOB
from pigi.jobs.model.view import view_of
from pigi.jobs.queueing.enqueue import enqueue, notify_after_commit
from pigi.operations.access import ORGANISATION, changing_access, hold_organisation
from pigi.operations.audit import record
from pigi.operations.billing import end_subscriptions, find_account, provider_of
from pigi.operations.organisations import read_organisation
from pigi.store.migrate import tenant_head

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.context import JobContext
    from pigi.jobs.kind import Kind
    from pigi.jobs.model.view import JobView
    from pigi.operations.organisations import OrganisationView
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlSession

    OnQueued = Callable[[ControlSession, JobView], None]
    OnDone = Callable[[ControlSession], None]

REQUESTED_BY = "schedule"


def delete_organisation(application: Application, caller: Caller, on_queued: OnQueued | None = None) -> JobView:
    """Close the organisation at once, and queue the job that cancels at Stripe; repeated, the same job.

    Raises Refused: as `changing_access`.
    """
    where = caller.organisation_id
    with changing_access(application, caller, Action.ORGANISATION_DELETE) as (session, _role):
        if _move(session, where, OrganisationState.ACTIVE, state=OrganisationState.DELETING.value, deletion_at=now()):
            record(session, application, "organisation.deletion_started", caller.name, where)
            job = _enqueue(session, application, CLOSE_ORGANISATION, where, caller.name)
        else:
            job = view_of(newest_job(session.connection(), CLOSE_ORGANISATION, where))
        if on_queued is not None:
            on_queued(session, job)
    return job


def restore_organisation(application: Application, caller: Caller, on_done: OnDone | None = None) -> OrganisationView:
    """Open it again as it was. A subscription that was ended stays so; another can be bought.

    Raises Refused: ``not_restorable`` unless it is being deleted and its grace period lasts; as `changing_access`.
    """
    where = caller.organisation_id
    with changing_access(application, caller, Action.ORGANISATION_RESTORE) as (session, _role):
        lasts = ORGANISATION.c.deletion_at > now() - GRACE
        again = {"state": OrganisationState.ACTIVE.value, "deletion_at": None}
        if not _move(session, where, OrganisationState.DELETING, lasts, **again):
            raise Refused("not_restorable")
        _stop_cancellation(session, application, where)
        _catch_up(session, application, where, caller.name)
        record(session, application, "organisation.restored", caller.name, where)
        if on_done is not None:
            on_done(session)
    return read_organisation(application, caller)


def _move(
    session: ControlSession, organisation_id: str, was: OrganisationState, *conditions: Any, **values: Any
) -> bool:
    """Change the organisation's state, and fence all jobs requested before; False if the state was another."""
    this = (ORGANISATION.c.id == organisation_id) & (ORGANISATION.c.state == was.value)
    moved = update(ORGANISATION).where(this, *conditions).values(epoch=ORGANISATION.c.epoch + 1, **values)
    return int(session.connection().execute(moved).rowcount) == 1


def _enqueue(session: ControlSession, application: Application, kind: Kind, organisation_id: str, by: str) -> JobView:
    """Queue a job of Pigi's own: the organisation's are fenced."""
    return enqueue(
        session, application.notifier, kind, organisation_id=None, requested_by=by, subject_id=organisation_id
    )


def _stop_cancellation(session: ControlSession, application: Application, organisation_id: str) -> None:
    """Stop the jobs that cancel at Stripe, or they would end what the restored organisation buys next."""
    connection = session.connection()
    query = select(JOB.c.id).where(*_of(CLOSE_ORGANISATION, organisation_id), JOB.c.state.not_in(ENDED))
    under_way: Sequence[str] = connection.execute(query).scalars().all()
    for job_id in under_way:
        notify_after_commit(session, application.notifier, cancel(connection, CLOSE_ORGANISATION, job_id))


def _catch_up(session: ControlSession, application: Application, organisation_id: str, by: str) -> None:
    """Queue what was not done for it while it was closed: a release's migration, and a sync of its subscription."""
    connection = session.connection()
    revision = select(ORGANISATION.c.schema_revision).where(ORGANISATION.c.id == organisation_id)
    missed = [MIGRATE_ORGANISATION] if connection.execute(revision).scalar() != tenant_head() else []
    missed += [SYNC_BILLING] if is_customer(connection, organisation_id) else []
    for kind in missed:
        enqueue(session, application.notifier, kind, organisation_id=organisation_id, requested_by=by)


def close_organisation(context: JobContext, application: Application, gateways: Gateways) -> None:
    """Cancel what the organisation has at Stripe, unless it was restored. Raises as `end_subscriptions`."""
    organisation_id = context.subject_id
    with context.control.autocommit() as connection:
        due = _state(connection, organisation_id) == OrganisationState.DELETING
        due = due and is_customer(connection, organisation_id)
    if due:
        end_subscriptions(context, application, provider_of(gateways), organisation_id)


def sweep_organisations(context: JobContext, application: Application) -> None:
    """Queue the next job of each deletion: cancelling at Stripe until it succeeded, then the purge when it is due."""
    query = (
        select(ORGANISATION.c.id).where(ORGANISATION.c.deletion_at.is_not(None)).order_by(ORGANISATION.c.deletion_at)
    )
    with context.control.autocommit() as connection:
        found: Sequence[str] = connection.execute(query).scalars().all()

    def queue(organisation_id: str) -> None:
        with application.control.begin() as session:
            kind = _next_job(session, organisation_id)
            if kind is not None:
                _enqueue(session, application, kind, organisation_id, REQUESTED_BY)

    for_each(context, found, queue, "sweeping")


def _next_job(session: ControlSession, organisation_id: str) -> Kind | None:
    """The kind of job to queue; None if it is under way or done, or the organisation restored or gone."""
    held = hold_organisation(session, organisation_id)
    if held is None or held.deletion_at is None:
        return None
    connection = session.connection()
    over = is_over(held)
    kind = PURGE_ORGANISATION if over else CLOSE_ORGANISATION
    newest = newest_job(connection, kind, organisation_id)
    if newest is not None and newest.state not in ENDED:
        return None
    closed = newest is not None and newest.state == JobState.SUCCEEDED and not _pays(connection, organisation_id)
    return None if closed and not over else kind


def is_over(organisation: Any) -> bool:
    """Whether the organisation of this row can no longer be restored."""
    return bool(organisation.state == OrganisationState.PURGING or organisation.deletion_at <= now() - GRACE)


def is_customer(connection: Connection, organisation_id: str) -> bool:
    """Whether it has, or may have, a customer at Stripe."""
    account = find_account(connection, organisation_id)
    return account is not None and (account.customer_id is not None or account.intended_at is not None)


def newest_job(connection: Connection, kind: Kind, organisation_id: str) -> Any:
    """The newest job of this kind; None if there is none (any more)."""
    query = select(JOB).where(*_of(kind, organisation_id)).order_by(JOB.c.id.desc()).limit(1)
    return connection.execute(query).first()


def _of(kind: Kind, organisation_id: str) -> tuple[Any, ...]:
    # Pigi's own are few, and an index of all jobs leads to them.
    return JOB.c.organisation_id.is_(None), JOB.c.kind == kind.name, JOB.c.subject_id == organisation_id


def _state(connection: Connection, organisation_id: str) -> str | None:
    query = select(ORGANISATION.c.state).where(ORGANISATION.c.id == organisation_id)
    found: str | None = connection.execute(query).scalar()
    return found


def _pays(connection: Connection, organisation_id: str) -> bool:
    """Whether something can still be collected, as a purchase that was under way when the cancellation looked."""
    account = find_account(connection, organisation_id)
    return account is not None and account.status not in {NONE, *OVER}
