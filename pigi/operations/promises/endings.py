"""The end of a canary: deleted as others are, with its organisation, but as if the grace were over; nobody is told."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.domain.access import AccountState, OrganisationState
from pigi.domain.canary import NAME
from pigi.domain.deletions import DeletionScope
from pigi.domain.job_state import ENDED
from pigi.domain.retention import GRACE
from pigi.jobs.kinds import PURGE_ACCOUNT, PURGE_ORGANISATION
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import ORGANISATION
from pigi.operations.accounts import ACCOUNT
from pigi.operations.deletion import ACCOUNT_PLAN, ORGANISATION_PLAN, open_deletion
from pigi.operations.promises.canary import find_stray, furnish, settle
from pigi.store.deletions import Deletion, Receipt

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.operations.promises.canary import Canary
    from pigi.store.sessions import ControlSession

DELETION: Any = Deletion.__table__
RECEIPT: Any = Receipt.__table__
PURGES = {DeletionScope.ORGANISATION: PURGE_ORGANISATION, DeletionScope.ACCOUNT: PURGE_ACCOUNT}
PURGE_NAMES = [kind.name for kind in PURGES.values()]
MOMENT = timedelta(seconds=1)
SECONDS_AFTER = 20


def begin_deletions(application: Application) -> tuple[str, str]:
    """Make an account with an organisation of its own and delete both: the deletions' ids, the account's first."""
    canary = find_stray(application) or settle(application, secrets.token_hex(8))
    furnish(application, canary)
    with application.control.begin() as session:
        account, organisation = _open(session.connection(), canary)
        _enqueue(session, application, DeletionScope.ORGANISATION, organisation)
        # Which seals nothing before its organisation is sealed, and is not tried again by itself.
        _enqueue(session, application, DeletionScope.ACCOUNT, account, due_in=SECONDS_AFTER)
    return account, organisation


def push_deletions(application: Application) -> None:
    """Enqueue once more what a canary's deletions wait for, as the hourly sweep does for everybody's."""
    open_ = (DELETION.c.requested_by == NAME) & DELETION.c.done_at.is_(None)
    at_work = select(JOB.c.subject_id).where(JOB.c.kind.in_(PURGE_NAMES), JOB.c.state.not_in(ENDED))
    with application.control.begin() as session:
        left = select(DELETION.c.scope, DELETION.c.id).where(open_, DELETION.c.id.not_in(at_work))
        for row in session.connection().execute(left).all():
            _enqueue(session, application, DeletionScope(row.scope), row.id)


def _enqueue(
    session: ControlSession, application: Application, scope: DeletionScope, deletion_id: str, *, due_in: int = 0
) -> None:
    enqueue(
        session,
        application.notifier,
        PURGES[scope],
        organisation_id=None,
        requested_by=NAME,
        subject_id=deletion_id,
        due_in=due_in,
    )


def _open(connection: Connection, canary: Canary) -> tuple[str, str]:
    past, scopes = now() - GRACE - MOMENT, DeletionScope
    account = open_deletion(
        connection, scopes.ACCOUNT, canary.account_id, NAME, _steps(ACCOUNT_PLAN), requested_at=past
    )
    steps = _steps(ORGANISATION_PLAN)
    organisation = open_deletion(
        connection, scopes.ORGANISATION, canary.organisation_id, NAME, steps, part_of=account, requested_at=past
    )
    closed = {"state": OrganisationState.DELETING.value, "deletion_at": past, "epoch": ORGANISATION.c.epoch + 1}
    connection.execute(update(ORGANISATION).where(ORGANISATION.c.id == canary.organisation_id).values(closed))
    deleting = {"state": AccountState.DELETING.value}
    connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == canary.account_id).values(deleting))
    return account, organisation


def _steps(plan: Any) -> list[str]:
    return [step.name for step in plan.steps]


def forget_deletions(application: Application, deletion_id: str) -> None:
    """Remove what a canary's deletion left, once it is done: its receipt proves nothing to anybody any more."""
    done = (DELETION.c.id == deletion_id) & DELETION.c.done_at.is_not(None)
    with application.control.transaction() as connection:
        receipt: str | None = connection.execute(select(DELETION.c.receipt_id).where(done)).scalar_one_or_none()
        if receipt is None:
            return
        jobs = JOB.c.kind.in_(PURGE_NAMES) & (JOB.c.subject_id == deletion_id) & JOB.c.state.in_(ENDED)
        connection.execute(delete(JOB).where(jobs))
        connection.execute(delete(RECEIPT).where(RECEIPT.c.id == receipt))
        connection.execute(delete(DELETION).where(done))
