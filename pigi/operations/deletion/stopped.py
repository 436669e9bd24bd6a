"""What a deletion stopped: work that was requested before it and will not be done, though the organisation is back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from pigi.domain.mail import Template
from pigi.jobs.kinds import kind_of
from pigi.jobs.model.transitions import IS_WAITING, JOB
from pigi.store.control import Organisation
from pigi.store.ledgers import Mail

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application

MOST = 100


@dataclass(frozen=True)
class StoppedJob:
    """A job that the fence stopped; ``again`` is where the same can be asked for, within the organisation.

    None where there is nothing to ask for: what Pigi does by itself, it does again by itself.
    """

    id: str
    kind: str
    title: str
    created_at: datetime
    again: str | None


def stopped_jobs(application: Application, organisation_id: str) -> list[StoppedJob]:
    """The organisation's jobs that its deletions stopped, newest first, as long as their rows are kept.

    A waiting job of an earlier epoch counts: it ends as soon as a worker meets it.
    """
    old = (JOB.c.epoch < Organisation.epoch) & IS_WAITING
    query = (
        select(JOB.c.id, JOB.c.kind, JOB.c.created_at, Mail.template, Mail.subject_id.label("mail_about"))
        .join(Organisation, Organisation.id == JOB.c.organisation_id)
        .outerjoin(Mail, Mail.job_id == JOB.c.id)
        .where(JOB.c.organisation_id == organisation_id, or_(JOB.c.reason == "fenced", old))
        .order_by(JOB.c.id.desc())
        .limit(MOST)
    )
    with application.control.autocommit() as connection:
        rows = connection.execute(query).all()
    return [
        StoppedJob(
            row.id, row.kind, kind_of(row.kind).title, row.created_at, _again(row.kind, row.template, row.mail_about)
        )
        for row in rows
    ]


def _again(kind: str, template: str | None, mail_about: str | None) -> str | None:
    if template == Template.INVITATION:
        return f"invitations/{mail_about}/resend"
    return kind_of(kind).again
