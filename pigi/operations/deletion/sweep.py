"""The hourly sweep of deletions: it asks for what each is owed, warns owners a day before, and alarms when one is late.

It costs what is under way, never how many organisations there are.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import OrganisationState
from pigi.domain.deletions import DeletionScope, DeletionState
from pigi.domain.job_state import ENDED, JobState
from pigi.domain.mail import Template
from pigi.domain.retention import WARNED_BEFORE
from pigi.jobs.execution.isolation import for_each
from pigi.jobs.kinds import CLOSE_ORGANISATION, PURGE_ACCOUNT, PURGE_ORGANISATION
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import ORGANISATION, hold_organisation
from pigi.operations.deletion.letters import write_to_account, write_to_owners
from pigi.operations.deletion.oversight import late_deletions
from pigi.operations.deletion.purge import STEPS
from pigi.operations.deletion.records import DELETION, OPEN, open_deletion, row_of
from pigi.operations.deletion.requests import newest_job
from pigi.operations.deletion.standing import pays
from pigi.operations.mail import forget_recipients
from pigi.store.erasures import ErasureLog, OpenDeletions, digest
from pigi.store.holds import active_holds

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.jobs.kind import Kind
    from pigi.store.sessions import ControlSession

REQUESTED_BY = "schedule"
OF_ORGANISATIONS = DELETION.c.scope == DeletionScope.ORGANISATION.value

logger = logging.getLogger(__name__)


def sweep_organisations(context: JobContext, application: Application) -> None:
    """Queue the next job of each deletion: cancelling at Stripe until it succeeded, then the purge when it is due."""
    with application.control.transaction() as connection:
        _adopt(connection)
        forget_recipients(connection)
    query = select(DELETION.c.id).where(OPEN).order_by(DELETION.c.restorable_until)
    with context.control.autocommit() as connection:
        found: list[str] = list(connection.execute(query).scalars())

    def queue(deletion_id: str) -> None:
        with application.control.begin() as session:
            _ask(session, application, deletion_id)

    for_each(context, found, queue, "sweeping")
    late = late_deletions(application)
    if late:
        logger.error("deletions: %s overdue", late)
    note_open_deletions(application)


def note_open_deletions(application: Application) -> None:
    """Note outside of the databases which deletions are in their grace, for a restore from a backup that is older.

    Raises FilesAwayError.
    """
    moment = now()
    query = select(DELETION.c.scope, DELETION.c.subject_id, DELETION.c.requested_at)
    with application.control.autocommit() as connection:
        rows = connection.execute(query.where(DELETION.c.state == DeletionState.GRACE.value)).all()
    requested = {digest(row.scope, row.subject_id): row.requested_at for row in rows}
    ErasureLog.from_settings(application.settings).note_open(OpenDeletions(moment, requested))


def _adopt(connection: Connection) -> None:
    """Open the deletions that the previous release began, which knew no such row."""
    known = select(DELETION.c.subject_id).where(OPEN, OF_ORGANISATIONS)
    strays = select(ORGANISATION.c.id, ORGANISATION.c.deletion_at).where(
        ORGANISATION.c.deletion_at.is_not(None), ORGANISATION.c.id.not_in(known)
    )
    for row in connection.execute(strays).all():
        names = [step.name for step in STEPS]
        open_deletion(connection, DeletionScope.ORGANISATION, row.id, "pigi", names, requested_at=row.deletion_at)


def _ask(session: ControlSession, application: Application, deletion_id: str) -> None:
    """Queue what the deletion waits for, unless that is under way already."""
    connection = session.connection()
    row = row_of(connection, deletion_id)
    if row is None or row.state == DeletionState.DONE:
        return
    if row.scope == DeletionScope.ACCOUNT:
        _ask_of_account(session, application, row)
        return
    held = hold_organisation(session, row.subject_id) if row.subject_id is not None else None
    if row.state != DeletionState.GRACE or row.restorable_until <= now():
        if row.state != DeletionState.GRACE or not active_holds(connection, row.subject_id):
            _queue(session, application, PURGE_ORGANISATION, row.id)
        return
    if held is None or held.state != OrganisationState.DELETING:
        return
    if row.warned_at is None and row.restorable_until - WARNED_BEFORE <= now():
        connection.execute(update(DELETION).where(DELETION.c.id == row.id).values(warned_at=now()))
        write_to_owners(session, application, Template.DELETION_WARNING, row.id, row.subject_id)
    newest = newest_job(connection, CLOSE_ORGANISATION, row.subject_id)
    if newest is None or newest.state != JobState.SUCCEEDED or pays(connection, row.subject_id):
        _queue(session, application, CLOSE_ORGANISATION, row.subject_id)


def _ask_of_account(session: ControlSession, application: Application, row: Any) -> None:
    if row.state != DeletionState.GRACE or row.restorable_until <= now():
        _queue(session, application, PURGE_ACCOUNT, row.id)
    elif row.warned_at is None and row.restorable_until - WARNED_BEFORE <= now():
        session.connection().execute(update(DELETION).where(DELETION.c.id == row.id).values(warned_at=now()))
        write_to_account(session, application, Template.ACCOUNT_DELETION_WARNING, row.id, row.subject_id)


def _queue(session: ControlSession, application: Application, kind: Kind, subject_id: str) -> Any:
    """Queue a job of Pigi's own, unless one of its kind is under way for the same."""
    newest = newest_job(session.connection(), kind, subject_id)
    if newest is None or newest.state in ENDED:
        enqueue(
            session,
            application.notifier,
            kind,
            organisation_id=None,
            requested_by=REQUESTED_BY,
            subject_id=subject_id,
        )
