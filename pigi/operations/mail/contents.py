"""Contents of mails: the recipient, values and links that a template is filled with, read when the mail is written.

Nothing of it is in the mail's row or its job. If what a mail is about has gone meanwhile, such as an invitation that
was revoked, the mail fails as ``mail_moot``. If an address turns out to have no account, there is no mail at all.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, select, update

from pigi.clock import now
from pigi.domain.access import Role
from pigi.domain.deletions import DeletionState
from pigi.domain.exports import ExportScope, ExportState
from pigi.domain.mail import Template, moment, shown
from pigi.domain.privacy_requests import RequestState
from pigi.domain.promises import PROMISES
from pigi.errors import Permanent
from pigi.operations import credentials
from pigi.operations.mail.content import MailContent, account_row, organisation_name, required
from pigi.operations.mail.dear import dear_acts
from pigi.operations.mail.of_organisations import deletion_notice, key_expiring, keys_settled, owners_changed
from pigi.store.contact import ANSWER, SENDER, Ticket
from pigi.store.control import Organisation
from pigi.store.deletions import RECIPIENTS, Deletion
from pigi.store.exports import Export
from pigi.store.keyring import KeyMissingError
from pigi.store.people import Account, AccountToken, AddressUndo, Invitation, Membership, Registration
from pigi.store.policy import PolicyVersion
from pigi.store.privacy_requests import PrivacyRequest
from pigi.store.promises import PromiseAlarm

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pigi.application import Application
    from pigi.settings import Settings
    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlSession

_ROLES = {Role.OWNER: "an owner", Role.ADMIN: "an admin", Role.MEMBER: "a member"}


class NobodyError(Exception):
    """The requested address has no account: there is no mail, and no trace that one was requested."""


def find_content(session: ControlSession, application: Application, mail: Any) -> MailContent:
    """The content of a mail, from its ledger's row.

    Raises:
        NobodyError: see there.
        Permanent: ``mail_moot`` if what it is about is gone, used up or over.
        KeyMissingError: the keyring lost the key that the link was made with.
    """
    if mail.template == Template.TICKET_NOTICE:
        return _ticket_notice(session, application.settings, mail)
    return _FINDERS[Template(mail.template)](session, application.keyring, mail)


def _welcome(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    row = _live(session, Registration, Registration.id == mail.subject_id)
    account = account_row(session, Account.email_key == row.email_key)
    if account is not None:
        links = {"link": "/sign-in", "forgotten": "/forgot-password"}
        return MailContent(Template.ALREADY_REGISTERED, account.email, {}, links)
    # No name: whoever registered somebody else's address could have Pigi send them a text.
    return _with_link(keyring, MailContent(Template.WELCOME, row.email), "/welcome/", credentials.WELCOME, row)


def _invitation(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    row = _live(session, Invitation, Invitation.id == mail.subject_id)
    inviter = required(account_row(session, Account.id == row.invited_by))
    facts: dict[str, object] = {
        "inviter": shown(inviter.name),
        "organisation": shown(organisation_name(session, row.organisation_id)),
        "role": _ROLES[Role(row.role)],
    }
    found = MailContent(Template.INVITATION, row.email, facts)
    return _with_link(keyring, found, "/invitations/", credentials.INVITATION, row)


def _password_reset(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    row = _live(session, AccountToken, AccountToken.id == mail.subject_id)
    account = account_row(session, Account.email_key == row.email_key)
    if account is None:
        raise NobodyError
    nobodys = (AccountToken.id == row.id, AccountToken.account_id.is_(None))
    session.execute(update(AccountToken).where(*nobodys).values(account_id=account.id))
    # To the address of the account, not to what was typed: different spellings of one key need not be one mailbox.
    return _with_link(
        keyring, MailContent(Template.PASSWORD_RESET, account.email), "/reset-password/", credentials.RESET, row
    )


def _confirm_address(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    row = _live(session, AccountToken, AccountToken.id == mail.subject_id)
    required(account_row(session, Account.id == row.account_id))
    found = MailContent(Template.CONFIRM_ADDRESS, row.email)
    return _with_link(keyring, found, "/confirm-address/", credentials.ADDRESS, row)


def _address_changed(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    row = required(session.scalar(select(AccountToken).where(AccountToken.id == mail.subject_id)))
    account = required(account_row(session, Account.id == row.account_id))
    facts: dict[str, object] = {"at": moment(mail.created_at), "done": account.email_key != row.email_key}
    return MailContent(Template.ADDRESS_CHANGED, row.email, facts, {"link": "/forgot-password"})


def _address_undo(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    row = _live(session, AddressUndo, AddressUndo.id == mail.subject_id)
    required(account_row(session, Account.id == row.account_id))
    found = MailContent(Template.ADDRESS_UNDO, row.email, {"at": moment(row.created_at)})
    return _with_link(keyring, found, "/undo-address/", credentials.ADDRESS_UNDO, row)


def _password_changed(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    account = required(account_row(session, Account.id == mail.subject_id))
    facts: dict[str, object] = {"at": moment(mail.created_at)}
    return MailContent(Template.PASSWORD_CHANGED, account.email, facts, {"link": "/forgot-password"})


def _second_factor(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    account = required(account_row(session, Account.id == mail.subject_id))
    facts: dict[str, object] = {"at": moment(mail.created_at)}
    links = {"link": "/account/second-factor", "forgotten": "/forgot-password"}
    return MailContent(Template(mail.template), account.email, facts, links)


def _account_deletion(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """Of an account's deletion, to its owner, as long as it can be undone."""
    open_still = (Deletion.id == mail.subject_id, Deletion.state == DeletionState.GRACE.value)
    deletion = required(session.scalar(select(Deletion).where(*open_still)))
    account = required(account_row(session, Account.id == deletion.subject_id))
    facts: dict[str, object] = {
        "requested": moment(deletion.requested_at),
        "until": moment(deletion.restorable_until),
    }
    links = {"link": "/account"}
    if mail.template == Template.ACCOUNT_DELETION_STARTED:
        links["forgotten"] = "/forgot-password"
    return MailContent(Template(mail.template), account.email, facts, links)


def _deletion_receipt(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    """To somebody whose account may be gone: only the sealed row knows the address, and only until this was sent."""
    deletion = required(session.scalar(select(Deletion).where(Deletion.id == mail.subject_id)))
    recipients = json.loads(keyring.open(RECIPIENTS, deletion.id, required(deletion.recipients)))
    facts: dict[str, object] = {
        "scope": deletion.scope,
        "requested": moment(deletion.requested_at),
        "done": moment(required(deletion.done_at)),
    }
    links = {"link": f"/api/v1/receipts/{deletion.receipt_id}", "keys": "/.well-known/pigi-keys.json"}
    return MailContent(Template.DELETION_RECEIPT, str(required(recipients.get(mail.recipient_id))), facts, links)


_EXPORTS_AT = {ExportScope.CONFIGURATION: "/o/{}/exports", ExportScope.ACCESS: "/account/exports"}
"""Where people fetch their exports, by scope; ``{}`` is the organisation."""


def _export_ready(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """To an owner, or to the person: who may no longer fetch it is not written to."""
    ready = Export.state == ExportState.READY, Export.expires_at > now()
    export = required(session.scalar(select(Export).where(Export.id == mail.subject_id, *ready)))
    account = required(account_row(session, Account.id == mail.recipient_id))
    facts: dict[str, object] = {"until": moment(export.expires_at), "organisation": ""}
    if export.organisation_id is None and export.account_id != account.id:
        raise Permanent("mail_moot")
    if export.organisation_id is not None:
        here = Membership.organisation_id == export.organisation_id, Membership.account_id == account.id
        owned = select(Organisation).join(Membership, Membership.organisation_id == Organisation.id)
        owned = owned.where(*here, Membership.role == Role.OWNER.value, Organisation.state.in_(("active", "deleting")))
        facts["organisation"] = shown(required(session.scalar(owned)).name)
    link = _EXPORTS_AT[ExportScope(export.scope)].format(export.organisation_id)
    return MailContent(Template.EXPORT_READY, account.email, facts, {"link": link})


def _privacy_request(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    row = required(session.scalar(select(PrivacyRequest).where(PrivacyRequest.id == mail.subject_id)))
    recipient = row.email
    if row.account_id is not None:
        recipient = required(account_row(session, Account.id == row.account_id)).email
    facts: dict[str, object] = {"received": moment(row.received_at), "right": row.type}
    if mail.template == Template.PRIVACY_REQUEST_EXTENDED:
        facts |= {"until": moment(required(row.extended_until)), "reason": row.extension_reason}
    else:
        facts |= {"answer": required(row.answer), "refused": row.state == RequestState.REFUSED}
    return MailContent(Template(mail.template), str(required(recipient)), facts)


_TURNED = {
    "failing": "These promises are found broken:",
    "stale": "Of these promises nothing recent enough is known:",
    "fine": "These promises hold again:",
}


def _promise_alarm(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """To an operator: which lines turned; what has turned again meanwhile is told by a later mail."""
    account = required(account_row(session, Account.id == mail.recipient_id))
    rows = select(PromiseAlarm).where(PromiseAlarm.batch == mail.subject_id).order_by(PromiseAlarm.promise)
    found = session.scalars(rows).all()
    turned = [
        (what, [f"{row.promise} {PROMISES[row.promise]}" for row in found if row.told == told])
        for told, what in _TURNED.items()
    ]
    facts: dict[str, object] = {"turned": [one for one in turned if one[1]]}
    if not facts["turned"]:
        raise Permanent("mail_moot")
    return MailContent(Template.PROMISE_ALARM, account.email, facts, {"link": "/operate/promises"})


def _ticket(session: ControlSession, keyring: Keyring, mail: Any) -> MailContent:
    """To whoever wrote: of the ticket's arrival nothing that they wrote, since the address was only typed."""
    row = required(session.scalar(select(Ticket).where(Ticket.id == mail.subject_id)))
    sender = json.loads(keyring.open(SENDER, row.id, row.sender))
    facts: dict[str, object] = {"number": row.number, "received": moment(row.received_at)}
    if mail.template == Template.TICKET_RECEIVED:
        facts["until"] = moment(row.due_at)
    else:
        facts["answer"] = keyring.open(ANSWER, row.id, required(row.answer)).decode()
    return MailContent(Template(mail.template), str(sender["email"]), facts, {"link": f"/contact/{row.number}"})


def _ticket_notice(session: ControlSession, settings: Settings, mail: Any) -> MailContent:
    """To whoever answers: only that there is something to answer."""
    row = required(session.scalar(select(Ticket).where(Ticket.id == mail.subject_id)))
    facts: dict[str, object] = {"kind": row.kind, "number": row.number, "until": moment(row.due_at)}
    return MailContent(Template.TICKET_NOTICE, settings.address_for(row.kind), facts, {"link": "/operate/tickets"})


SAID = 12
"""How many sentences a mail about the policy quotes; the page has them all."""


def _policy_changed(session: ControlSession, _keyring: Keyring, mail: Any) -> MailContent:
    """What changes and when, in the policy's own words."""
    version = required(session.get(PolicyVersion, int(mail.subject_id)))
    before = required(session.get(PolicyVersion, version.number - 1))
    account = required(account_row(session, Account.id == mail.recipient_id))
    old, new = ({one["id"]: one["text"] for one in json.loads(row.text)["sentences"]} for row in (before, version))
    counting = [one["id"] for one in json.loads(version.changes) if one["reasons"]]
    said = [
        {"what": what, "text": " ".join(texts[key].split())}
        for key in counting
        for what, texts, here in (
            ("In place of what was there", new, key in new and key in old),
            ("New", new, key in new and key not in old),
            ("No longer said", old, key in old and key not in new),
        )
        if here
    ]
    link = f"/policy/versions?version={version.number}&against={before.number}"
    facts: dict[str, object] = {
        "effective": moment(version.effective_at),
        "said": said[:SAID],
        "more": max(0, len(said) - SAID),
    }
    return MailContent(Template.POLICY_CHANGED, account.email, facts, {"link": link})


_FINDERS: dict[Template, Callable[[ControlSession, Keyring, Any], MailContent]] = {
    Template.WELCOME: _welcome,
    # A welcome that a worker began to write for an address that has an account; the account may be gone again.
    Template.ALREADY_REGISTERED: _welcome,
    Template.INVITATION: _invitation,
    Template.PASSWORD_RESET: _password_reset,
    Template.CONFIRM_ADDRESS: _confirm_address,
    Template.ADDRESS_CHANGED: _address_changed,
    Template.ADDRESS_UNDO: _address_undo,
    Template.PASSWORD_CHANGED: _password_changed,
    Template.SECOND_FACTOR_ON: _second_factor,
    Template.SECOND_FACTOR_OFF: _second_factor,
    Template.RECOVERY_CODE_USED: _second_factor,
    Template.KEY_EXPIRING: key_expiring,
    Template.KEYS_SETTLED: keys_settled,
    Template.OWNERS_CHANGED: owners_changed,
    Template.DEAR_ACT: dear_acts,
    Template.EXPORT_READY: _export_ready,
    Template.DELETION_STARTED: deletion_notice,
    Template.DELETION_WARNING: deletion_notice,
    Template.DELETION_RECEIPT: _deletion_receipt,
    Template.ACCOUNT_DELETION_STARTED: _account_deletion,
    Template.ACCOUNT_DELETION_WARNING: _account_deletion,
    Template.PROMISE_ALARM: _promise_alarm,
    Template.POLICY_CHANGED: _policy_changed,
    Template.PRIVACY_REQUEST_EXTENDED: _privacy_request,
    Template.PRIVACY_REQUEST_ANSWERED: _privacy_request,
    Template.TICKET_RECEIVED: _ticket,
    Template.TICKET_ANSWER: _ticket,
}


def _with_link(keyring: Keyring, content: MailContent, path: str, use: str, row: Any) -> MailContent:
    token = credentials.mailed_token(keyring, use, row.id, row.token_hash)
    if token is None:
        raise KeyMissingError
    ends: datetime = row.expires_at
    return replace(content, facts={**content.facts, "until": moment(ends)}, links={"link": f"{path}{token}"})


def _live(session: ControlSession, table: Any, *where: ColumnElement[bool]) -> Any:
    return required(session.scalar(select(table).where(*where, table.expires_at > now())))
