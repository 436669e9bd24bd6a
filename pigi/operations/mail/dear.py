"""The content of mails about dear acts: what the audit chain says since the mail was asked for.

Nobody is told what others did where they own nothing any more: of that they read what was done to themselves.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from pigi.domain.access import OPERATOR, OrganisationState, Role
from pigi.domain.dear_acts import DEAR_ACTS, NAMED, Audience, dear_act
from pigi.domain.mail import Template, moment, shown
from pigi.errors import Permanent
from pigi.operations.mail.content import MailContent, account_row, required
from pigi.store.control import Organisation
from pigi.store.ledgers import AuditContent, AuditEntry, Mail
from pigi.store.people import Account, ApiKey, Membership

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.domain.dear_acts import DearAct
    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlSession

MAIL: Any = Mail.__table__
FORMER = "A former member"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def dear_acts(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """What was done in an organisation, or with an account, since the mail was asked for."""
    account = required(account_row(session, Account.id == mail.recipient_id))
    where = None if mail.subject_id == account.id else mail.subject_id
    organisation, owning = (None, False) if where is None else _place(session, where, account.id)
    done = [
        (row, details, found)
        for row in _entries(session, mail, where, account, owning=owning)
        if (found := dear_act(row.kind, details := json.loads(row.details))) is not None
    ]
    if not done:
        raise Permanent("mail_moot")
    acts = [
        {"at": moment(row.at), "who": _who(session, row.actor, account.id), "what": _what(session, row, details, dear)}
        for row, details, dear in done[:NAMED]
    ]
    undo = {(dear.undo, dear.path.format(organisation=where)): None for _row, _details, dear in done}
    facts: dict[str, object] = {
        "organisation": "" if organisation is None else shown(organisation),
        "acts": acts,
        "more": len(done) - len(acts),
        "undo": [{"words": words, "path": path} for words, path in undo],
        "owning": owning,
    }
    log = f"/o/{where}/audit" if owning else "/account"
    return MailContent(Template.DEAR_ACT, account.email, facts, {"link": log})


def _place(session: ControlSession, organisation_id: str, account_id: str) -> tuple[str, bool]:
    """The organisation's name, and whether the account owns it; raises Permanent ``mail_moot`` if it is gone."""
    there = (OrganisationState.ACTIVE.value, OrganisationState.DELETING.value)
    name = required(
        session.scalar(
            select(Organisation.name).where(Organisation.id == organisation_id, Organisation.state.in_(there))
        )
    )
    place = (Membership.organisation_id == organisation_id, Membership.account_id == account_id)
    return str(name), session.scalar(select(Membership.role).where(*place)) == Role.OWNER


def _entries(session: ControlSession, mail: Any, where: str | None, account: Any, *, owning: bool) -> Sequence[Any]:
    """The entries of the kinds that can be dear, from the mail's request up to that of the next one to its reader."""
    same = (MAIL.c.template == mail.template, MAIL.c.subject_id == mail.subject_id)
    later = (MAIL.c.recipient_id == mail.recipient_id, MAIL.c.created_at > mail.created_at)
    until = session.scalar(select(func.min(MAIL.c.created_at)).where(*same, *later))
    themselves = AuditContent.subject.in_([f"account:{account.id}", f"operator:{account.id}"])
    if where is not None:
        within = AuditContent.organisation_id == where
        which = within if owning else within & themselves
    else:
        told = [kind for kind, dear in DEAR_ACTS.items() if dear.audience is Audience.OPERATORS]
        which = AuditContent.organisation_id.is_(None) & themselves
        which = or_(which, AuditEntry.kind.in_(told)) if account.kind == OPERATOR else which
    query = (
        select(AuditEntry.at, AuditEntry.kind, AuditContent.actor, AuditContent.subject, AuditContent.details)
        .join(AuditContent, AuditContent.seq == AuditEntry.seq)
        .where(AuditEntry.at >= mail.created_at, AuditEntry.kind.in_(DEAR_ACTS), which)
        .order_by(AuditEntry.seq)
    )
    return session.execute(query if until is None else query.where(AuditEntry.at < until)).all()


def _who(session: ControlSession, actor: str, reader: str) -> str:
    noun, _, account_id = actor.partition(":")
    if noun == "operator":
        return "An operator of Pigi"
    if account_id == reader:
        return "You"
    return f"“{_name(session, account_id)}”" if noun == "account" else "Pigi"


def _what(session: ControlSession, row: Any, details: dict[str, Any], dear: DearAct) -> list[str]:
    """What was done, in pieces of which each fits a line."""

    def piece(name: str) -> str:
        if name == "whom":
            return f"“{_name(session, (row.subject or '').partition(':')[2])}”"
        if name == "key":
            label = session.scalar(select(ApiKey.label).where(ApiKey.id == details["key"]))
            return f"“{shown(label or 'which is gone')}”"
        if name == "roles":
            return f"from {details['was']} to {details['role']}"
        if name == "data":
            held = row.subject is not None and row.subject.startswith("account:")
            return "what Pigi holds about you" if held else "the organisation's configuration"
        return f"({details[name]})"

    parts = _PLACEHOLDER.split(dear.words)
    return [text for place, part in enumerate(parts) if (text := piece(part) if place % 2 else part.strip(" ()"))]


def _name(session: ControlSession, account_id: str) -> str:
    name = session.scalar(select(Account.name).where(Account.id == account_id))
    return FORMER if name is None else shown(name)
