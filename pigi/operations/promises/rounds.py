"""The canary's rounds: what takes jobs and time is begun by one check and judged by a later one, so nobody waits.

A heartbeat's note holds what was begun last: the id of a job or of a deletion, which leads to nobody.
"""

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
from pigi.jobs.heartbeats import last_notes, record
from pigi.jobs.kinds import PURGE_ACCOUNT, PURGE_ORGANISATION
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import ORGANISATION
from pigi.operations.accounts import ACCOUNT
from pigi.operations.deletion import ACCOUNT_PLAN, ORGANISATION_PLAN, open_deletion
from pigi.operations.exports import request_access, request_configuration
from pigi.operations.generations import request_generation
from pigi.operations.promises.canary import find_stray, furnish, resident, settle
from pigi.store.deletions import Deletion, Receipt

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.operations.promises.canary import Canary

ROUND = timedelta(hours=1)
"""How often a round begins: a draft costs money, and a search of every store costs reading all of them."""
ROUND_VALID = timedelta(hours=2, minutes=15)
"""How long a finding of a round counts: two of them, and a quarter of an hour."""
EARLY = timedelta(minutes=5)
"""A check that comes a little before the hour begins the next round too."""
GENERATION, MARKER = "canary generation", "canary marker"
ACCESS, CONFIGURATION = "canary access export", "canary export"
ORGANISATION_DELETION, ACCOUNT_DELETION = "canary deletion", "canary account deletion"
DELETION: Any = Deletion.__table__
RECEIPT: Any = Receipt.__table__


class NothingYetError(Exception):
    """What was begun last has not ended, or nothing was begun before now: there is nothing to judge."""


def ended_job(application: Application, name: str) -> Any:
    """The newest job of a round, ended. If there is none, or it is of an hour ago, the next begins.

    Raises NothingYetError.
    """
    with application.control.autocommit() as connection:
        job_id = last_notes(connection).get(name)
        job = connection.execute(select(JOB).where(JOB.c.id == job_id)).first()
    if job is None or (job.state in ENDED and _is_over(job.created_at)):
        _begin_job(application, name)
    if job is None or job.state not in ENDED:
        raise NothingYetError
    return job


def _is_over(since: datetime) -> bool:
    return since + ROUND - EARLY <= now()


def _begin_job(application: Application, name: str) -> None:
    canary = resident(application)
    if name == GENERATION:
        job_id = _ask_for_draft(application)
    elif name == ACCESS:
        job_id = request_access(application, canary.account_id, canary.caller.name).id
    else:
        job_id = request_configuration(application, canary.caller).id
    with application.control.autocommit() as connection:
        record(connection, name, job_id)


def _ask_for_draft(application: Application) -> str:
    """A draft whose purpose holds a phrase that only the keyring can tell, so no row need hold it."""
    canary, seed = resident(application), secrets.token_hex(16)
    with application.control.autocommit() as connection:
        record(connection, MARKER, seed)
    purpose = f"Says hello to whoever asks. {_phrase(application, seed)}"
    return request_generation(application, canary.caller, "agent", "greeter", purpose).id


def marker(application: Application) -> str:
    """The phrase in the purpose of the newest draft; raises NothingYetError."""
    with application.control.autocommit() as connection:
        seed = last_notes(connection).get(MARKER)
    if seed is None:
        raise NothingYetError
    return _phrase(application, seed)


def _phrase(application: Application, seed: str) -> str:
    return f"canary-{application.keyring.digest(MARKER, seed.encode())[:32]}"


def ended_deletion(application: Application, name: str) -> Any:
    """The newest deletion of a round, done. If there is none, or it is of an hour ago, the next begins.

    Raises NothingYetError.
    """
    with application.control.autocommit() as connection:
        deletion_id = last_notes(connection).get(name)
        row = connection.execute(select(DELETION).where(DELETION.c.id == deletion_id)).first()
    if row is None or (row.done_at is not None and _is_over(row.done_at)):
        _begin_deletions(application)
    if row is None or row.done_at is None:
        raise NothingYetError
    return row


def _begin_deletions(application: Application) -> None:
    """Make an account with an organisation of its own, and delete both as if their grace were over."""
    canary = find_stray(application) or settle(application, secrets.token_hex(8))
    furnish(application, canary)
    with application.control.begin() as session:
        _forget_receipts(session.connection())
        account, organisation = _open(session.connection(), canary)
        for name, kind, deletion_id in (
            (ORGANISATION_DELETION, PURGE_ORGANISATION, organisation),
            (ACCOUNT_DELETION, PURGE_ACCOUNT, account),
        ):
            record(session.connection(), name, deletion_id)
            enqueue(
                session,
                application.notifier,
                kind,
                organisation_id=None,
                requested_by=NAME,
                subject_id=deletion_id,
            )


def _open(connection: Connection, canary: Canary) -> tuple[str, str]:
    """The deletions of the account and, as part of that, of its organisation; nobody is told."""
    past, scopes = now() - GRACE - EARLY, DeletionScope
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


def _forget_receipts(connection: Connection) -> None:
    """The receipts of the round before: they prove nothing to anybody any more."""
    notes = last_notes(connection)
    own = [note for name, note in notes.items() if name in {ORGANISATION_DELETION, ACCOUNT_DELETION} and note]
    receipts = select(DELETION.c.receipt_id).where(DELETION.c.id.in_(own), DELETION.c.done_at.is_not(None))
    connection.execute(delete(RECEIPT).where(RECEIPT.c.id.in_(receipts)))
