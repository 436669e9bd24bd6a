"""Controls of what Pigi does: mails once, nothing but drafts to the AI, acts on record, no sweep of what is in use."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, select

from pigi.clock import now
from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.mail import DOUBTFUL_SENDS, MailState
from pigi.domain.privacy import Recipient
from pigi.domain.retention import PERIODS, Retention, cutoff
from pigi.jobs.kind import Delivery
from pigi.operations.audit import verify_newest
from pigi.operations.retention import report_classes
from pigi.ports import DraftRequest
from pigi.store.control import Effect
from pigi.store.ledgers import Mail
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from pigi.application import Application

MAIL: Any = Mail.__table__
EFFECT: Any = Effect.__table__
SETTLED = timedelta(days=2)
"""A mail is tried for hours, not days; after that its ledger says what became of it."""
FOR_DRAFTS = frozenset({"generation.name", "generation.purpose", "generation.answer"})
"""What the model may be told (P14): a resource's name, the purpose, and its own first answer when it is corrected."""
REQUEST = frozenset({"instruction", "schema", "name", "purpose", "previous", "findings"})
IN_USE = (Retention.ORGANISATION, Retention.CONFIGURATION, Retention.ACCOUNT, Retention.MEMBERSHIP)


def mails_once(application: Application) -> Finding:
    """Whether a mail was sent more often than it may be, or its end was never written down."""
    since = cutoff(Retention.MAIL, now())
    recent = MAIL.c.created_at > since
    states = select(MAIL.c.state, func.count()).where(recent).group_by(MAIL.c.state)
    # A job has one effect at most for each way of keeping it single: two are two sendings.
    # A try of which it is known that nothing was sent is taken back, so what was done at the second try was sent twice.
    again = (EFFECT.c.policy == Delivery.AT_MOST.value) & (EFFECT.c.tries > 1) & (EFFECT.c.state == "done")
    beyond = func.sum(case((again | (EFFECT.c.tries > DOUBTFUL_SENDS), 1), else_=0))
    twice = (
        select(MAIL.c.id).join(EFFECT, EFFECT.c.job_id == MAIL.c.job_id).where(recent)
        .group_by(MAIL.c.id).having((func.count() > 1) | (beyond > 0)).subquery()
    )  # fmt: skip
    open_ = (MAIL.c.state == MailState.QUEUED.value) & (MAIL.c.created_at < now() - SETTLED)
    with application.control.autocommit() as connection:
        counts = {row[0]: row[1] for row in connection.execute(states)}
        doubled = connection.execute(select(func.count()).select_from(twice)).scalar_one()
        late = connection.execute(select(func.count()).where(recent, open_)).scalar_one()
    if doubled or late:
        said = f"{doubled} mails were sent more often than they may be"
        return Finding(False, f"{said}, and of {late} it is not known what became of them.")
    sent, unknown = counts.get(MailState.SENT, 0), counts.get(MailState.UNKNOWN, 0)
    said = f"{sent} mails sent in 30 days, none more often than it may be"
    return Finding(True, f"{said}; {unknown} are shown as unknown.")


def only_drafts_to_the_model(_application: Application) -> Finding:
    """Whether anything but a draft's name and purpose is meant for the provider of the model."""
    columns = [column for metadata in (CONTROL, TENANT) for table in metadata.sorted_tables for column in table.columns]
    told = {str(column) for column in columns if Recipient.ANTHROPIC in column.info["facts"].recipients}
    more = sorted(told - FOR_DRAFTS) + sorted({field.name for field in fields(DraftRequest)} - REQUEST)
    if more:
        return Finding(False, f"More than a draft needs goes to the provider of the model: {', '.join(more)}.")
    return Finding(True, f"Of {len(columns)} columns, {len(told)} may go to the provider of the model, for a draft.")


def audit_holds(application: Application) -> Finding:
    """Whether the newest entries of the audit chain hold together, and no signed head is missing."""
    entries, flaw = verify_newest(application)
    if flaw is not None:
        return Finding(False, f"The audit log does not hold together: {flaw}.")
    return Finding(True, f"The newest {entries} entries of the audit log hold together.")


def nothing_in_use_swept(application: Application) -> Finding:
    """Whether what belongs to active organisations and accounts has a period, or was ever swept."""
    lines = [line for line in report_classes(application, counted=False) if line.retention in IN_USE]
    swept = {line.retention for line in lines if line.swept_at is not None}
    swept |= {retention.value for retention in IN_USE if PERIODS[retention].keep is not None}
    if swept:
        return Finding(False, f"What is in use is swept: {', '.join(sorted(swept))}.")
    return Finding(True, f"{len(lines)} classes are kept while they are in use; no sweep has touched them.")


CONTROLS = (
    Control(
        "mails-once",
        "P10",
        Evidence.OBSERVED,
        mails_once,
        "No mail of 30 days was sent more often than it may be; of each it is known, or said not to be, how it ended.",
        "That a mail was read, or that the addressee's server did not drop it.",
    ),
    Control(
        "only-drafts-to-the-model",
        "P13",
        Evidence.STATIC,
        only_drafts_to_the_model,
        "Nothing that Pigi holds is meant for the provider of the model but the name and purpose of a draft.",
        "What the provider does with these: its commercial terms say that it trains no model with them.",
    ),
    Control(
        "audit-log-holds-together",
        "P19",
        Evidence.OBSERVED,
        audit_holds,
        "The newest entries of the audit log are chained by their hashes, and its signed heads are in it.",
        "Older entries: they are checked once a day.",
    ),
    Control(
        "nothing-in-use-is-swept",
        "P25",
        Evidence.OBSERVED,
        nothing_in_use_swept,
        "Organisations, their configuration, accounts and memberships have no period, and no sweep has touched them.",
        "What members delete themselves.",
    ),
)
