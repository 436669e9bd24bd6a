"""Deleting an organisation (P26): access and subscription end at once, and for a week its owners can undo it.

The epoch rises when it is deleted and when it is restored, so nothing that was requested before happens afterwards
(`pigi.jobs.model.transitions.unfenced`). What follows the grace period is in `pigi.operations.deletion.purge`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import Action, OrganisationState
from pigi.domain.deletions import DeletionScope
from pigi.domain.job_state import ENDED
from pigi.domain.mail import Template
from pigi.domain.retention import GRACE
from pigi.errors import Refused
from pigi.jobs.execution.claims import cancel
from pigi.jobs.kinds import CLOSE_ORGANISATION, MIGRATE_ORGANISATION, SYNC_BILLING
from pigi.jobs.model.transitions import JOB
from pigi.jobs.model.view import view_of
from pigi.jobs.queueing.enqueue import enqueue, notify_after_commit
from pigi.operations.access import ORGANISATION, changing_access
from pigi.operations.audit import record
from pigi.operations.billing import end_subscriptions, provider_of
from pigi.operations.deletion.letters import write_to_owners
from pigi.operations.deletion.purge import STEPS
from pigi.operations.deletion.records import DeletionView, call_off, deletion_of, open_deletion
from pigi.operations.deletion.standing import is_customer, state_of
from pigi.operations.organisations import read_organisation
from pigi.store.holds import active_holds
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

ORGANISATIONS = DeletionScope.ORGANISATION


def delete_organisation(application: Application, caller: Caller, on_queued: OnQueued | None = None) -> JobView:
    """Close the organisation at once, and queue the job that cancels at Stripe; repeated, the same job.

    Raises Refused: as `changing_access`.
    """
    where = caller.organisation_id
    with changing_access(application, caller, Action.ORGANISATION_DELETE) as (session, _role):
        job = close_for_deletion(session, application, where, caller.name)
        job = replace(job, receipt_id=_under_way(session.connection(), where).receipt_id)
        if on_queued is not None:
            on_queued(session, job)
    return job


def close_for_deletion(
    session: ControlSession, application: Application, organisation_id: str, by: str, part_of: str | None = None
) -> JobView:
    """Begin the deletion of an organisation whose row the session holds, and tell its owners; the job that closes it.

    ``part_of`` is the account's deletion that takes it along. Repeated, it changes nothing.
    """
    connection, moment = session.connection(), now()
    closed = {"state": OrganisationState.DELETING.value, "deletion_at": moment}
    if not _move(session, organisation_id, OrganisationState.ACTIVE, **closed):
        return view_of(newest_job(connection, CLOSE_ORGANISATION, organisation_id))
    names = [step.name for step in STEPS]
    deletion_id = open_deletion(
        connection, ORGANISATIONS, organisation_id, by, names, part_of=part_of, requested_at=moment
    )
    record(session, application, "organisation.deletion_started", by, organisation_id)
    write_to_owners(session, application, Template.DELETION_STARTED, deletion_id, organisation_id)
    return _enqueue(session, application, CLOSE_ORGANISATION, organisation_id, by)


def restore_organisation(application: Application, caller: Caller, on_done: OnDone | None = None) -> OrganisationView:
    """Open it again as it was. A subscription that was ended stays so; another can be bought.

    Raises Refused: ``not_restorable`` unless it is being deleted and its grace period lasts; as `changing_access`.
    """
    with changing_access(application, caller, Action.ORGANISATION_RESTORE) as (session, _role):
        reopen(session, application, caller.organisation_id, caller.name)
        if on_done is not None:
            on_done(session)
    return read_organisation(application, caller)


def reopen(session: ControlSession, application: Application, organisation_id: str, by: str) -> None:
    """Undo the deletion of an organisation whose row the session holds; raises Refused ``not_restorable``."""
    lasts = ORGANISATION.c.deletion_at > now() - GRACE
    again = {"state": OrganisationState.ACTIVE.value, "deletion_at": None}
    if not _move(session, organisation_id, OrganisationState.DELETING, lasts, **again):
        raise Refused("not_restorable")
    call_off(session.connection(), ORGANISATIONS, organisation_id)
    _stop_cancellation(session, application, organisation_id)
    _catch_up(session, application, organisation_id, by)
    record(session, application, "organisation.restored", by, organisation_id)


def read_deletion(application: Application, caller: Caller) -> tuple[DeletionView, bool]:
    """The deletion of the caller's organisation, and whether a legal hold stops it; Refused ``not_found`` if none."""
    with application.control.read() as session:
        connection = session.connection()
        return _under_way(connection, caller.organisation_id), bool(active_holds(connection, caller.organisation_id))


def _under_way(connection: Connection, organisation_id: str) -> DeletionView:
    found = deletion_of(connection, ORGANISATIONS, organisation_id)
    if found is None:
        raise Refused("not_found")
    return found


def _move(
    session: ControlSession, organisation_id: str, was: OrganisationState, *conditions: Any, **values: Any
) -> bool:
    """Change the organisation's state, and fence all jobs requested before; False if the state was another."""
    this = (ORGANISATION.c.id == organisation_id) & (ORGANISATION.c.state == was.value)
    moved = update(ORGANISATION).where(this, *conditions).values(epoch=ORGANISATION.c.epoch + 1, **values)
    return int(session.connection().execute(moved).rowcount) == 1


def _enqueue(session: ControlSession, application: Application, kind: Kind, subject_id: str, by: str) -> JobView:
    """Queue a job of Pigi's own: the organisation's are fenced."""
    return enqueue(session, application.notifier, kind, organisation_id=None, requested_by=by, subject_id=subject_id)


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
        due = state_of(connection, organisation_id) == OrganisationState.DELETING
        due = due and is_customer(connection, organisation_id)
    if due:
        end_subscriptions(context, application, provider_of(gateways), organisation_id)


def newest_job(connection: Connection, kind: Kind, subject_id: str) -> Any:
    """The newest job of this kind; None if there is none (any more)."""
    query = select(JOB).where(*_of(kind, subject_id)).order_by(JOB.c.id.desc()).limit(1)
    return connection.execute(query).first()


def _of(kind: Kind, subject_id: str) -> tuple[Any, ...]:
    # Pigi's own are few, and an index of all jobs leads to them.
    return JOB.c.organisation_id.is_(None), JOB.c.kind == kind.name, JOB.c.subject_id == subject_id
