"""Telling of dear acts: who is mailed, and when, in the transaction of the act.

The mail is written when it is sent, from the audit chain (`pigi.operations.mail.dear`). The first act in a place goes
out at once; what is done within `GATHERED` of it comes in one mail, so that many acts make neither many mails nor
silence. Such mails are Pigi's own and name no organisation's job: deleting the organisation must not stop them.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import or_, select

from pigi.clock import now
from pigi.domain.access import OPERATOR, SIGNS_IN, Role
from pigi.domain.dear_acts import GATHERED, Audience, DearAct
from pigi.domain.mail import MailState, Template
from pigi.jobs.model.transitions import JOB
from pigi.operations.mail import queue_mail
from pigi.store.ledgers import Mail
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

MAIL: Any = Mail.__table__
ACCOUNT: Any = Account.__table__
MEMBERSHIP: Any = Membership.__table__
TOLD = "told"
"""Under which a transaction's session holds the mails that it queued, which tell its further acts too."""
_COMMITTING: Final = timedelta(seconds=30)
"""The longest that an act takes from here to its commit: a mail that is written sooner might not see it."""


def tell(
    session: ControlSession, application: Application, dear: DearAct, organisation_id: str | None, subject: str | None
) -> None:
    """See that each of those whom the act concerns is mailed of it, unless a letter of its own tells it."""
    if dear.letter is not None:
        return
    whom = subject.partition(":")[2] if subject and subject.startswith(("account:", "operator:")) else ""
    for row in _recipients(session, dear.audience, organisation_id, whom):
        of_account = dear.audience in {Audience.ACCOUNT, Audience.OPERATORS} or organisation_id is None
        place = row.id if of_account else str(organisation_id)
        due_in = _due_in(session, place, row.id)
        if due_in is not None:
            queued = queue_mail(
                session, application, Template.DEAR_ACT, place, row.email_key, recipient_id=row.id, due_in=due_in
            )
            session.info.setdefault(TOLD, set()).add(queued)


def _recipients(session: ControlSession, audience: Audience, organisation_id: str | None, whom: str) -> Sequence[Any]:
    """Accounts in the order of their ids; ``whom`` is told of what was done to them."""
    concerned = ACCOUNT.c.id == whom
    if audience is Audience.OPERATORS:
        concerned = or_(concerned, ACCOUNT.c.kind == OPERATOR)
    elif audience is not Audience.ACCOUNT and organisation_id is not None:
        owners = select(MEMBERSHIP.c.account_id).where(
            MEMBERSHIP.c.organisation_id == organisation_id, MEMBERSHIP.c.role == Role.OWNER.value
        )
        concerned = or_(concerned, ACCOUNT.c.id.in_(owners))
    in_use = ACCOUNT.c.state.in_([state.value for state in SIGNS_IN])
    found = select(ACCOUNT.c.id, ACCOUNT.c.email_key).where(concerned, in_use).order_by(ACCOUNT.c.id)
    return session.execute(found).all()


def _due_in(session: ControlSession, place: str, recipient: str) -> int | None:
    """In how many seconds to mail them of an act in this place; None if a mail waits that will tell it."""
    moment = now()
    newest = (
        select(MAIL.c.id, MAIL.c.state, MAIL.c.created_at, JOB.c.due_at)
        .outerjoin(JOB, JOB.c.id == MAIL.c.job_id)
        .where(MAIL.c.template == Template.DEAR_ACT.value, MAIL.c.subject_id == place)
        .where(MAIL.c.recipient_id == recipient, MAIL.c.created_at > moment - 2 * GATHERED)
        .order_by(MAIL.c.created_at.desc(), MAIL.c.id.desc())
        .limit(1)
    )
    row = session.execute(newest).first()
    if row is None:
        return 0
    due: datetime = row.due_at or row.created_at
    waits = row.state == MailState.QUEUED and due > moment + _COMMITTING
    if waits or row.id in session.info.get(TOLD, ()):
        return None
    return max(0, math.ceil((due + GATHERED - moment).total_seconds()))
