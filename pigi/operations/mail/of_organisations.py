"""Contents of mails about an organisation, to those who answer for it: its keys, its owners, its deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.access import Action, Role, role_may
from pigi.domain.deletions import DeletionState
from pigi.domain.mail import Template, moment, shown
from pigi.errors import Permanent
from pigi.operations.mail.content import MailContent, account_row, organisation_name, required
from pigi.store.control import Organisation
from pigi.store.deletions import Deletion
from pigi.store.people import Account, ApiKey, Membership

if TYPE_CHECKING:
    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlSession

FORMER = "A former member"


def key_expiring(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """Of an API key, to whoever may rotate it."""
    key = required(session.scalar(select(ApiKey).where(ApiKey.id == mail.subject_id, ApiKey.revoked_at.is_(None))))
    account = required(account_row(session, Account.id == mail.recipient_id))
    place = (Membership.organisation_id == key.organisation_id, Membership.account_id == account.id)
    role = required(session.scalar(select(Membership.role).where(*place)))
    if not role_may(Role(role), Action.KEYS_CHANGE):
        raise Permanent("mail_moot")
    facts: dict[str, object] = {
        "label": shown(key.label),
        "organisation": shown(organisation_name(session, key.organisation_id)),
        "until": moment(key.expires_at),
        "over": key.expires_at <= now(),
    }
    return MailContent(Template.KEY_EXPIRING, account.email, facts, {"link": f"/o/{key.organisation_id}/api-keys"})


def keys_settled(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """Of the API keys that were revoked or handed over together, to an owner or to whoever answers for them now."""
    keys = session.scalars(select(ApiKey).where(ApiKey.settlement == mail.subject_id).order_by(ApiKey.id)).all()
    first = required(keys[0] if keys else None)
    account = required(account_row(session, Account.id == mail.recipient_id))
    role = required(_role(session, first.organisation_id, account.id))
    handed = first.handed_to is not None and first.revoked_at is None
    yours = handed and first.handed_to == account.id
    if not (role is Role.OWNER or yours):
        raise Permanent("mail_moot")
    maker = account_row(session, Account.id == first.created_by)
    facts: dict[str, object] = {
        "maker": FORMER if maker is None else shown(maker.name),
        "organisation": shown(organisation_name(session, first.organisation_id)),
        "labels": [shown(key.label) for key in keys],
        "handed": handed,
        "yours": yours,
    }
    return MailContent(Template.KEYS_SETTLED, account.email, facts, {"link": f"/o/{first.organisation_id}/api-keys"})


def owners_changed(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """That somebody became an owner, or is one no longer, as it is when this is written; to owners, and to them."""
    where = mail.organisation_id
    account = required(account_row(session, Account.id == mail.recipient_id))
    who = required(account_row(session, Account.id == mail.subject_id))
    owning = _role(session, where, account.id) is Role.OWNER
    if not owning and account.id != who.id:
        raise Permanent("mail_moot")
    facts: dict[str, object] = {
        "who": shown(who.name),
        "owner": _role(session, where, who.id) is Role.OWNER,
        "organisation": shown(organisation_name(session, where)),
        "at": moment(mail.created_at),
        "owning": owning,
    }
    return MailContent(Template.OWNERS_CHANGED, account.email, facts, {"link": f"/o/{where}/members"})


def deletion_notice(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """Of an organisation's deletion, to an owner, as long as it can be undone."""
    open_still = (Deletion.id == mail.subject_id, Deletion.state == DeletionState.GRACE.value)
    deletion = required(session.scalar(select(Deletion).where(*open_still)))
    account = required(account_row(session, Account.id == mail.recipient_id))
    place = (Membership.organisation_id == deletion.subject_id, Membership.account_id == account.id)
    if session.scalar(select(Membership.role).where(*place)) != Role.OWNER:
        raise Permanent("mail_moot")
    name = session.scalar(select(Organisation.name).where(Organisation.id == deletion.subject_id))
    asker = account_row(session, "account:" + Account.id == deletion.requested_by)
    facts: dict[str, object] = {
        "organisation": shown(required(name)),
        "by": "" if asker is None else shown(asker.name),
        "by_you": deletion.requested_by == f"account:{account.id}",
        "by_operator": deletion.requested_by.startswith("operator:"),
        "requested": moment(deletion.requested_at),
        "until": moment(deletion.restorable_until),
    }
    links = {"link": f"/o/{deletion.subject_id}/deletion"}
    return MailContent(Template(mail.template), account.email, facts, links)


def _role(session: ControlSession, organisation_id: str, account_id: str) -> Role | None:
    place = (Membership.organisation_id == organisation_id, Membership.account_id == account_id)
    found = session.scalar(select(Membership.role).where(*place))
    return None if found is None else Role(found)
