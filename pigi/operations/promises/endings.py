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

DELETION: Any = Deletion.__table__
RECEIPT: Any = Receipt.__table__
PURGES = {DeletionScope.ORGANISATION: PURGE_ORGANISATION, DeletionScope.ACCOUNT: PURGE_ACCOUNT}
MOMENT = timedelta(seconds=1)


def begin_deletions(application: Application) -> tuple[str, str]:
    """Make an account with an organisation of its own and delete both: the deletions' ids, the account's first."""
    canary = find_stray(application) or settle(application, secrets.token_hex(8))
    furnish(application, canary)
    with application.control.begin() as session:
        account, organisation = _open(session.connection(), canary)
        for scope, deletion_id in ((DeletionScope.ORGANISATION, organisation), (DeletionScope.ACCOUNT, account)):
            enqueue(
                session,
                application.notifier,
                PURGES[scope],
                organisation_id=None,
                requested_by=NAME,
                subject_id=deletion_id,
            )
    return account, organisation


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
        kinds = [kind.name for kind in PURGES.values()]
        jobs = JOB.c.kind.in_(kinds) & (JOB.c.subject_id == deletion_id) & JOB.c.state.in_(ENDED)
        connection.execute(delete(JOB).where(jobs))
        connection.execute(delete(RECEIPT).where(RECEIPT.c.id == receipt))
        connection.execute(delete(DELETION).where(done))
