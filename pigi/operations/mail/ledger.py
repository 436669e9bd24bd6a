"""The mail ledger: queueing a mail, listing what became of each, and cleaning up after its job.

A mail is a row without an address or a word of text. What it says, and to whom, is read when it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, insert, select, update

from pigi.clock import now
from pigi.domain.canary import is_canary
from pigi.domain.mail import MailState, Template
from pigi.ids import new_id
from pigi.jobs.effects import EFFECT
from pigi.jobs.kinds import SEND_MAIL
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.store.deletions import Deletion
from pigi.store.instants import Instant
from pigi.store.ledgers import Mail
from pigi.store.paging import read_stretch
from pigi.store.people import AccountToken
from pigi.store.policy import PolicyNotice

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.jobs.execution.cleanup import EndedJob
    from pigi.jobs.kind import Kind
    from pigi.store.sessions import ControlSession

MAIL: Any = Mail.__table__
DELETION: Any = Deletion.__table__
NOTICE: Any = PolicyNotice.__table__
PAGE = 200
HASHED_AS = "mail address"


@dataclass(frozen=True)
class MailView:
    """A mail as its organisation sees it: no address. ``tries`` is None once a tombstone has replaced its job."""

    id: str
    job_id: str
    template: str
    state: str
    reason: str | None
    tries: int | None
    created_at: datetime
    ended_at: datetime | None


def queue_mail(  # noqa: PLR0913 - a mail's facts, each named at the call
    session: ControlSession,
    application: Application,
    template: str,
    subject_id: str,
    email_key: str,
    organisation_id: str | None = None,
    requested_by: str = "pigi",
    recipient_id: str | None = None,
    kind: Kind = SEND_MAIL,
    due_in: int = 0,
) -> str:
    """Add a mail and its job to the session's transaction; returns the mail's id, "" for a canary: it is sent nothing.

    Args:
        session: the transaction of the change that the mail reports.
        application: for its notifier, and for the keyring that hashes the address.
        template: a `Template`.
        subject_id: what it is about: the registration (welcome), invitation, account token (password-reset,
            confirm-address, address-changed), way back to an address (address-undo), account (password-changed,
            second-factor-on, second-factor-off, recovery-code-used, owners-changed), organisation or account
            (dear-act), API key (key-expiring), keys' settlement (keys-settled), deletion or version of the policy
            (policy-changed).
        email_key: `pigi.domain.addresses.email_key` of the recipient; only its hash is kept.
        organisation_id: whose ledger shows it; None if it is between Pigi and a person.
        requested_by: who requested it, as an identifier.
        recipient_id: the recipient's account, where the subject does not say (key-expiring, keys-settled,
            owners-changed, dear-act, deletion-started and deletion-warning); of a deletion-receipt, whom among its
            recipients.
        kind: what sends it: of a mail to everybody a kind with a partition of its own.
        due_in: seconds until it is written and sent.

    Raises:
        ValueError: there is no such template.
        Refused: ``organisation_closed``.
    """
    if is_canary(email_key):
        return ""
    mail_id, job_id = new_id(), new_id()
    session.execute(
        insert(MAIL).values(
            id=mail_id,
            job_id=job_id,
            template=Template(template).value,
            subject_id=subject_id,
            recipient_id=recipient_id,
            organisation_id=organisation_id,
            address_hash=address_hash(application, email_key),
            state=MailState.QUEUED.value,
            created_at=now(),
        )
    )
    enqueue(
        session,
        application.notifier,
        kind,
        organisation_id=organisation_id,
        requested_by=requested_by,
        subject_id=mail_id,
        job_id=job_id,
        due_in=due_in,
    )
    return mail_id


def address_hash(application: Application, email_key: str) -> str:
    """What the ledger keeps of an address: enough to answer its owner, nothing to write to."""
    return application.keyring.digest(HASHED_AS, email_key.encode())


def address_hashes(application: Application, email_key: str) -> list[str]:
    """`address_hash` under each key of the ring: one of them was stored."""
    return application.keyring.digests(HASHED_AS, email_key.encode())


def list_mails(
    application: Application,
    caller: Caller,
    *,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[MailView]:
    """The organisation's mails, newest first; ``before`` and ``after`` are ids (`pigi.store.paging`)."""
    query = (
        select(
            MAIL.c.id,
            MAIL.c.job_id,
            MAIL.c.template,
            MAIL.c.state,
            JOB.c.reason,
            JOB.c.attempt.label("tries"),
            MAIL.c.created_at,
            MAIL.c.ended_at,
        )
        .outerjoin(JOB, JOB.c.id == MAIL.c.job_id)
        .where(MAIL.c.organisation_id == caller.organisation_id)
    )
    most = min(limit, PAGE + 1)
    with application.control.autocommit() as connection:
        rows = read_stretch(connection.execute, query, MAIL.c.id, limit=most, before=before, after=after)
        return [MailView(**row._mapping) for row in rows]  # noqa: SLF001 - its public name


_EFFECT_STATE = select(EFFECT.c.state).where(EFFECT.c.job_id == MAIL.c.job_id).scalar_subquery()
"""A mail's job has one effect at most: the sending."""
_SETTLE = (
    update(MAIL)
    .where(MAIL.c.id == bindparam("mail_id"))
    .values(
        state=case(
            (_EFFECT_STATE == "done", MailState.SENT.value),
            (_EFFECT_STATE.is_not(None), MailState.UNKNOWN.value),
            else_=MailState.FAILED.value,
        ),
        ended_at=bindparam("at", type_=Instant),
    )
    .returning(MAIL.c.state, MAIL.c.template, MAIL.c.subject_id)
)
"""One statement, so that no slow one writes what was true before."""


def clean_up(application: Application, job: EndedJob) -> None:
    """Write into the ledger how a mail's job ended, as its effect tells it; repeating it does no harm.

    The effect may still be open here, since a job's cleanup comes before its end: open at the end is unknown.
    """
    with application.control.transaction() as connection:
        mail = connection.execute(_SETTLE, {"mail_id": job.subject_id, "at": job.ended_at}).first()
        if mail is not None and (mail.template, mail.state) == (Template.ADDRESS_CHANGED, MailState.SENT):
            # The row held the old address for this mail alone.
            connection.execute(delete(AccountToken).where(AccountToken.id == mail.subject_id))
        elif mail is not None and mail.template == Template.POLICY_CHANGED:
            told = update(NOTICE).where(NOTICE.c.mail_id == job.subject_id)
            connection.execute(told.values(state=mail.state, ended_at=job.ended_at))
        elif mail is not None and mail.template == Template.DELETION_RECEIPT:
            forget_recipients(connection, DELETION.c.id == mail.subject_id)


def forget_recipients(connection: Connection, *which: ColumnElement[bool]) -> None:
    """Remove the addresses of deletions whose receipts were all sent, or could not be."""
    queued = (MAIL.c.template == Template.DELETION_RECEIPT.value) & (MAIL.c.state == MailState.QUEUED.value)
    waiting = select(MAIL.c.id).where(MAIL.c.subject_id == DELETION.c.id, queued).exists()
    done = DELETION.c.done_at.is_not(None) & DELETION.c.recipients.is_not(None)
    connection.execute(update(DELETION).where(*which, done, ~waiting).values(recipients=None))
