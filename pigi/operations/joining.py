"""Joining an organisation by a mailed link. Looking at the link uses nothing up; joining uses it up.

The link proves that its holder reads the invited address's mail. So it makes an account where the address has
none, but it never signs anybody in to an account that exists: that takes the password as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from pigi.clock import now
from pigi.domain.access import Role
from pigi.errors import Refused
from pigi.operations import passwords
from pigi.operations.accounts import add_account
from pigi.operations.audit import record
from pigi.operations.entitlements import check_members
from pigi.operations.sign_in import start_session
from pigi.operations.standing import find_role, lock_organisation
from pigi.operations.tokens import is_token, token_hash
from pigi.store.control import Organisation
from pigi.store.people import Account, Invitation, Membership

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.store.sessions import ControlSession

INVITATION: Any = Invitation.__table__


@dataclass(frozen=True, repr=False)
class Offer:
    """What a link offers to whoever holds it; ``has_account`` is whether the invited address has one."""

    organisation_id: str
    organisation_name: str
    email: str
    role: Role
    has_account: bool
    expires_at: datetime


@dataclass(frozen=True, repr=False)
class Newcomer:
    """What somebody without an account brings."""

    name: str | None = None
    password: str | None = None


@dataclass(frozen=True, repr=False)
class Joined:
    """Where somebody belongs now; ``cookie`` is the secret of the session that was opened, if one was."""

    organisation_id: str
    organisation_name: str
    role: Role
    cookie: str | None = None


def read_invitation(application: Application, token: str) -> Offer:
    """What the link offers; raises Refused ``link_over`` for one that is unknown, too old, used or revoked."""
    query = (
        select(INVITATION, Organisation.name, Account.id.label("account_id"))
        .join(Organisation, Organisation.id == INVITATION.c.organisation_id)
        .outerjoin(Account, Account.email_key == INVITATION.c.email_key)
        .where(*_this(token), Organisation.state == "active")
    )
    with application.control.read() as session:
        row = session.execute(query).first() if is_token(token) else None
    if row is None:
        raise Refused("link_over")
    has_account = row.account_id is not None
    return Offer(row.organisation_id, row.name, row.email, Role(row.role), has_account, row.expires_at)


def accept_invitation(application: Application, token: str, person: Person | None, newcomer: Newcomer) -> Joined:
    """Join, as ``person`` or, without one, as ``newcomer``, whose account is made and signed in.

    Raises Refused: ``link_over``; ``invitation_for_another`` and ``not_for_operators`` for the person;
        ``unauthenticated`` without one, if the address has an account; ``invalid`` if the newcomer lacks something;
        ``password_weak``, ``unavailable``; ``plan_limit`` if the organisation's plan shrank since it invited, and
        then the link can be used once there is room.
    """
    offer = read_invitation(application, token)
    if person is not None:
        return _join(application, token, person)
    if offer.has_account:
        raise Refused("unauthenticated")
    _check_complete(newcomer)
    return _join_anew(application, token, offer, newcomer)


def _join(application: Application, token: str, person: Person) -> Joined:
    if person.operator:
        raise Refused("not_for_operators")
    with application.control.begin() as session:
        name, invitation = _hold(session, token)
        own = session.scalar(select(Account.email_key).where(Account.id == person.account_id))
        if own != invitation.email_key:
            raise Refused("invitation_for_another")
        return _enter(session, application, invitation, name, person.account_id)


def _join_anew(application: Application, token: str, offer: Offer, newcomer: Newcomer) -> Joined:
    called, password = newcomer.name or "", newcomer.password or ""
    with passwords.place():
        hashed = passwords.new_hash(password, called, offer.email)
    with application.control.begin() as session:
        name, invitation = _hold(session, token)
        try:
            account_id = add_account(session, application, called, invitation.email, hashed)
        except Refused as refusal:
            if refusal.code != "link_over":
                raise
            # The address got an account since it was looked for.
            raise Refused("unauthenticated") from None
        joined = _enter(session, application, invitation, name, account_id)
        cookie = start_session(session, application, account_id, "")
    return Joined(joined.organisation_id, joined.organisation_name, joined.role, cookie)


def _check_complete(newcomer: Newcomer) -> None:
    given = {"name": newcomer.name, "password": newcomer.password}
    missing = [name for name, value in given.items() if value is None]
    if missing:
        message = "is needed, since the invited address has no account"
        raise Refused("invalid", errors=[{"pointer": f"/{name}", "message": message} for name in missing])


def _hold(session: ControlSession, token: str) -> tuple[str, Any]:
    """The organisation's name and the invitation, which nobody else can use or change until the transaction ends."""
    where = session.scalar(select(INVITATION.c.organisation_id).where(*_this(token)))
    try:
        name = lock_organisation(session, where or "")
    except Refused:
        raise Refused("link_over") from None
    row = session.execute(select(INVITATION).where(*_this(token))).first()
    if row is None:
        raise Refused("link_over")
    return name, row


def _enter(session: ControlSession, application: Application, invitation: Any, name: str, account_id: str) -> Joined:
    """Use the invitation up. Whoever belongs there already stays what they are."""
    where, who = invitation.organisation_id, f"account:{account_id}"
    session.execute(delete(INVITATION).where(INVITATION.c.id == invitation.id))
    role = find_role(session, where, account_id)
    if role is None:
        check_members(session, application, where)
        role = Role(invitation.role)
        session.add(Membership(organisation_id=where, account_id=account_id, role=role, joined_at=now()))
        session.flush()
        record(session, application, "member.joined", who, where, who, role=role, invitation=invitation.id)
    return Joined(where, name, role)


def _this(token: str) -> tuple[Any, Any]:
    return INVITATION.c.token_hash == token_hash(token), INVITATION.c.expires_at > now()
