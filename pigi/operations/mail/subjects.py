"""What a mail is about, read when it is written: to whom it goes, and the facts that its template wants.

Nothing of it is in the mail's row or its job. What has gone meanwhile, such as an invitation that was revoked,
makes the mail moot. That an address has no account is found here too, and makes it none at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, select, update

from pigi.clock import now
from pigi.domain.access import Action, Role, role_may
from pigi.domain.mail import Template, moment, shown
from pigi.errors import Permanent
from pigi.operations import credentials
from pigi.store.control import Organisation
from pigi.store.keyring import KeyMissingError
from pigi.store.people import Account, AccountToken, ApiKey, Invitation, Membership, Registration

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlSession

_ROLES = {Role.OWNER: "an owner", Role.ADMIN: "an admin", Role.MEMBER: "a member"}


@dataclass(frozen=True, repr=False)
class Content:
    """Which letter to write, to whom and with which facts; links are paths of the public address."""

    template: Template
    recipient: str
    facts: dict[str, object] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


class NobodyError(Exception):
    """The address that was asked for has no account: there is no mail, and no trace that there was a wish for one."""


def find_content(session: ControlSession, keyring: Keyring, mail: Any) -> Content:
    """The content of a mail, from its ledger's row.

    Raises:
        NobodyError: see there.
        Permanent: ``mail_moot`` if what it is about is gone, used up or over.
        KeyMissingError: the keyring lost the key that the link was made with.
    """
    return _FINDERS[Template(mail.template)](session, keyring, mail)


def _welcome(session: ControlSession, keyring: Keyring, mail: Any) -> Content:
    row = _live(session, Registration, Registration.id == mail.subject_id)
    account = _account(session, Account.email_key == row.email_key)
    if account is not None:
        links = {"link": "/sign-in", "forgotten": "/forgot-password"}
        return Content(Template.ALREADY_REGISTERED, account.email, {}, links)
    # No name: whoever registered somebody else's address could have Pigi send them a text.
    return _with_link(keyring, Content(Template.WELCOME, row.email), "/welcome/", credentials.WELCOME, row)


def _invitation(session: ControlSession, keyring: Keyring, mail: Any) -> Content:
    row = _live(session, Invitation, Invitation.id == mail.subject_id)
    inviter = _wanted(_account(session, Account.id == row.invited_by))
    facts: dict[str, object] = {
        "inviter": shown(inviter.name),
        "organisation": shown(_organisation(session, row.organisation_id)),
        "role": _ROLES[Role(row.role)],
    }
    found = Content(Template.INVITATION, row.email, facts)
    return _with_link(keyring, found, "/invitations/", credentials.INVITATION, row)


def _password_reset(session: ControlSession, keyring: Keyring, mail: Any) -> Content:
    row = _live(session, AccountToken, AccountToken.id == mail.subject_id)
    account = _account(session, Account.email_key == row.email_key)
    if account is None:
        raise NobodyError
    nobodys = (AccountToken.id == row.id, AccountToken.account_id.is_(None))
    session.execute(update(AccountToken).where(*nobodys).values(account_id=account.id))
    # To the address of the account, not to what was typed: different spellings of one key need not be one mailbox.
    return _with_link(
        keyring, Content(Template.PASSWORD_RESET, account.email), "/reset-password/", credentials.RESET, row
    )


def _confirm_address(session: ControlSession, keyring: Keyring, mail: Any) -> Content:
    row = _live(session, AccountToken, AccountToken.id == mail.subject_id)
    _wanted(_account(session, Account.id == row.account_id))
    found = Content(Template.CONFIRM_ADDRESS, row.email)
    return _with_link(keyring, found, "/confirm-address/", credentials.ADDRESS, row)


def _address_changed(session: ControlSession, _keyring: Keyring, mail: Any) -> Content:
    row = _wanted(session.scalar(select(AccountToken).where(AccountToken.id == mail.subject_id)))
    account = _wanted(_account(session, Account.id == row.account_id))
    facts: dict[str, object] = {"at": moment(mail.created_at), "done": account.email_key != row.email_key}
    return Content(Template.ADDRESS_CHANGED, row.email, facts, {"link": "/forgot-password"})


def _password_changed(session: ControlSession, _keyring: Keyring, mail: Any) -> Content:
    account = _wanted(_account(session, Account.id == mail.subject_id))
    facts: dict[str, object] = {"at": moment(mail.created_at)}
    return Content(Template.PASSWORD_CHANGED, account.email, facts, {"link": "/forgot-password"})


def _key_expiring(session: ControlSession, _keyring: Keyring, mail: Any) -> Content:
    key = _wanted(session.scalar(select(ApiKey).where(ApiKey.id == mail.subject_id, ApiKey.revoked_at.is_(None))))
    account = _wanted(_account(session, Account.id == mail.recipient_id))
    place = (Membership.organisation_id == key.organisation_id, Membership.account_id == account.id)
    role = _wanted(session.scalar(select(Membership.role).where(*place)))
    if not role_may(Role(role), Action.KEYS_CHANGE):
        raise Permanent("mail_moot")
    facts: dict[str, object] = {
        "label": shown(key.label),
        "organisation": shown(_organisation(session, key.organisation_id)),
        "until": moment(key.expires_at),
        "over": key.expires_at <= now(),
    }
    return Content(Template.KEY_EXPIRING, account.email, facts, {"link": f"/o/{key.organisation_id}/api-keys"})


_FINDERS: dict[Template, Callable[[ControlSession, Keyring, Any], Content]] = {
    Template.WELCOME: _welcome,
    # A welcome that a worker began to write for an address that has an account; the account may be gone again.
    Template.ALREADY_REGISTERED: _welcome,
    Template.INVITATION: _invitation,
    Template.PASSWORD_RESET: _password_reset,
    Template.CONFIRM_ADDRESS: _confirm_address,
    Template.ADDRESS_CHANGED: _address_changed,
    Template.PASSWORD_CHANGED: _password_changed,
    Template.KEY_EXPIRING: _key_expiring,
}


def _with_link(keyring: Keyring, content: Content, path: str, use: str, row: Any) -> Content:
    token = credentials.mailed_token(keyring, use, row.id, row.token_hash)
    if token is None:
        raise KeyMissingError
    ends: datetime = row.expires_at
    return replace(content, facts={**content.facts, "until": moment(ends)}, links={"link": f"{path}{token}"})


def _live(session: ControlSession, table: Any, *where: ColumnElement[bool]) -> Any:
    return _wanted(session.scalar(select(table).where(*where, table.expires_at > now())))


def _account(session: ControlSession, *where: ColumnElement[bool]) -> Any:
    return session.scalar(select(Account).where(*where, Account.state == "active"))


def _organisation(session: ControlSession, organisation_id: str) -> str:
    where = (Organisation.id == organisation_id, Organisation.state == "active")
    return str(_wanted(session.scalar(select(Organisation.name).where(*where))))


def _wanted(found: Any) -> Any:
    if found is None:
        raise Permanent("mail_moot")
    return found
