"""Invitations: a link by mail that makes whoever has the address a member.

One is open for an address at a time. Inviting the address again, or sending again, keeps the link that was
mailed before, so that whichever mail is opened works; revoking it ends every copy. A GET never uses one up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from pigi.clock import now
from pigi.domain.access import Action, Person, Role
from pigi.domain.addresses import AddressError, email_key, read_address
from pigi.domain.retention import Retention, keep
from pigi.domain.throttles import NEW_PASSWORD
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations import credentials
from pigi.operations.access import changing_access, find_role, lock_organisation, vouch_for
from pigi.operations.accounts import add_account, make_renewal_due, start_session
from pigi.operations.audit import record
from pigi.operations.credentials import INVITATION as USE
from pigi.operations.credentials import is_token, token_hash
from pigi.operations.mail import queue_mail
from pigi.operations.organisations.members import owners_changed
from pigi.operations.plans import check_members, count_today
from pigi.store.control import Organisation
from pigi.store.ledgers import Mail
from pigi.store.people import Account, Invitation, Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession

    OnMade = Callable[[ControlSession, str], None]
    OnDone = Callable[[ControlSession], None]
    from pigi.store.sessions import ControlSession

INVITATION: Any = Invitation.__table__
PAGE = 200
COUNTED_AS = "invitations"
HELD_BACK = "held_back"
MAIL_HELD_BACK = "mail_held_back"
MAIL: Any = Mail.__table__


@dataclass(frozen=True, repr=False)
class InvitationView:
    """An open invitation as the organisation's admins see it.

    ``mail`` is how far its newest mail is: a `MailState`, or `HELD_BACK` if the address has had its share of
    invitations, from wherever; None once nothing is known of it any more.
    """

    id: str
    email: str
    role: Role
    invited_by: str
    created_at: datetime
    expires_at: datetime
    mail: str | None


def list_invitations(
    application: Application, caller: Caller, *, limit: int = PAGE, before: str | None = None
) -> list[InvitationView]:
    """Open invitations, newest first; ``before`` is the id of the last one of the page before."""
    query = select(INVITATION).where(*_open(caller)).order_by(INVITATION.c.id.desc()).limit(min(limit, PAGE + 1))
    if before is not None:
        query = query.where(INVITATION.c.id < before)
    with application.control.read() as session:
        return _views(session, session.execute(query).all())


def read_open_invitation(application: Application, caller: Caller, invitation_id: str) -> InvitationView:
    """One of the caller's organisation; raises Refused ``not_found``."""
    with application.control.read() as session:
        return _view(session, _find(session, caller, invitation_id))


def invite(
    application: Application, caller: Caller, email: str, role: Role | None, on_made: OnMade | None = None
) -> InvitationView:
    """Invite an address, or change the role of its open invitation, and mail the link.

    Without a role an open invitation keeps its own; a new one is a member's.

    Raises Refused: ``invalid_address``; ``forbidden`` for a role above the caller's, also that of the open
        invitation; ``already_member``, ``plan_limit`` for an address without an open invitation,
        ``too_many_today``, ``confirmation_required`` for an owner, and as `changing_access`.
    """
    try:
        email = read_address(email)
    except AddressError:
        raise Refused("invalid_address") from None
    with changing_access(application, caller, Action.INVITATIONS_CHANGE) as (session, own):
        found = _of_address(session, caller, email)
        role = role or (Role(found.role) if found else Role.MEMBER)
        if not own.covers(role):
            raise Refused("forbidden")
        _refuse_members(session, caller, email)
        if found is None:
            check_members(session, application, caller.organisation_id, inviting=True)
        elif not own.covers(Role(found.role)):
            raise Refused("forbidden")
        invitation_id = _send(session, application, caller, found.id if found else None, email, role)
        if on_made is not None:
            on_made(session, invitation_id)
        return _view(session, _find(session, caller, invitation_id))


def resend_invitation(
    application: Application, caller: Caller, invitation_id: str, on_done: OnDone | None = None
) -> InvitationView:
    """Mail the link again; its days begin anew.

    Raises Refused: ``not_found``; ``forbidden`` for a role above the caller's; ``too_many_today``;
        ``confirmation_required`` for an owner; and as `changing_access`.
    """
    with changing_access(application, caller, Action.INVITATIONS_CHANGE) as (session, own):
        found = _find(session, caller, invitation_id)
        if not own.covers(Role(found.role)):
            raise Refused("forbidden")
        _send(session, application, caller, found.id, found.email, Role(found.role))
        if on_done is not None:
            on_done(session)
        return _view(session, _find(session, caller, invitation_id))


def revoke_invitation(
    application: Application, caller: Caller, invitation_id: str, on_done: OnDone | None = None
) -> None:
    """End its link at once.

    Raises Refused: ``not_found``; ``forbidden`` for a role above the caller's; and as `changing_access`.
    """
    with changing_access(application, caller, Action.INVITATIONS_CHANGE) as (session, own):
        found = _find(session, caller, invitation_id)
        if not own.covers(Role(found.role)):
            raise Refused("forbidden")
        session.execute(delete(INVITATION).where(INVITATION.c.id == found.id))
        where, subject = caller.organisation_id, f"invitation:{found.id}"
        record(
            session, application, "invitation.revoked", caller.name, where, subject,
            invitation=found.id, role=found.role,
        )  # fmt: skip
        if on_done is not None:
            on_done(session)


def _open(caller: Caller) -> tuple[Any, Any]:
    return INVITATION.c.organisation_id == caller.organisation_id, INVITATION.c.expires_at > now()


def _find(session: ControlSession, caller: Caller, invitation_id: str) -> Any:
    query = select(INVITATION).where(INVITATION.c.id == invitation_id, *_open(caller))
    row = session.execute(query).first() if is_id(invitation_id) else None
    if row is None:
        raise Refused("not_found")
    return row


def _of_address(session: ControlSession, caller: Caller, email: str) -> Any:
    """The open invitation of an address; one that has expired is taken away, so that its link stays dead."""
    own = (INVITATION.c.organisation_id == caller.organisation_id) & (INVITATION.c.email_key == email_key(email))
    session.execute(delete(INVITATION).where(own, INVITATION.c.expires_at <= now()))
    return session.execute(select(INVITATION.c.id, INVITATION.c.role).where(own)).first()


def _refuse_members(session: ControlSession, caller: Caller, email: str) -> None:
    members = select(Account.id).join(Membership, Membership.account_id == Account.id)
    found = members.where(Membership.organisation_id == caller.organisation_id, Account.email_key == email_key(email))
    if session.scalar(found) is not None:
        raise Refused("already_member")


def _send(  # noqa: PLR0913 - a row's columns
    session: ControlSession,
    application: Application,
    caller: Caller,
    open_id: str | None,
    email: str,
    role: Role,
) -> str:
    """Write the invitation as it is from now on and mail it; its id. Whoever sends one answers for it."""
    where, who = caller.organisation_id, email_key(email)
    count_today(session, where, COUNTED_AS, application.settings.invitations_per_day)
    invitation_id, moment = open_id or new_id(), now()
    row = {
        "id": invitation_id,
        "organisation_id": where,
        "email": email,
        "email_key": who,
        "role": role,
        "invited_by": caller.account_id,
        "token_hash": token_hash(application.keyring.token(USE, invitation_id)),
        "created_at": moment,
        "expires_at": moment + keep(Retention.INVITATION),
    }
    if open_id is None:
        session.execute(insert(INVITATION).values(row))
    else:
        session.execute(update(INVITATION).where(INVITATION.c.id == open_id).values(row))
    queue_mail(session, application, "invitation", invitation_id, who, organisation_id=where, requested_by=caller.name)
    subject = f"invitation:{invitation_id}"
    record(session, application, "invitation.made", caller.name, where, subject, invitation=invitation_id, role=role)
    return invitation_id


def _view(session: ControlSession, row: Any) -> InvitationView:
    (view,) = _views(session, [row])
    return view


def _views(session: ControlSession, rows: Sequence[Any]) -> list[InvitationView]:
    """Invitations of one organisation."""
    mails: dict[str, str] = {}
    if rows:
        here = MAIL.c.organisation_id == rows[0].organisation_id
        of_these = MAIL.c.subject_id.in_([row.id for row in rows])
        sent = select(MAIL.c.subject_id, MAIL.c.state, JOB.c.reason).outerjoin(JOB, JOB.c.id == MAIL.c.job_id)
        for mail in session.execute(sent.where(here, of_these).order_by(MAIL.c.id)):
            mails[mail.subject_id] = HELD_BACK if mail.reason == MAIL_HELD_BACK else mail.state
    return [
        InvitationView(
            row.id, row.email, Role(row.role), row.invited_by, row.created_at, row.expires_at, mails.get(row.id)
        )
        for row in rows
    ]


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


def accept_invitation(
    application: Application, token: str, person: Person | None, newcomer: Newcomer, network: str = ""
) -> Joined:
    """Join, as ``person`` or, without one, as ``newcomer``, whose account is made and signed in.

    Raises Refused: ``link_over``; ``invitation_for_another`` and ``not_for_operators`` for the person, and
        ``confirmation_required`` for who would be an owner;
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
    return _join_anew(application, token, offer, newcomer, network)


def _join(application: Application, token: str, person: Person) -> Joined:
    if person.deleting:
        raise Refused("account_deleting")
    if person.operator:
        raise Refused("not_for_operators")
    with application.control.begin() as session:
        name, invitation = _hold(session, token)
        own = session.scalar(select(Account.email_key).where(Account.id == person.account_id))
        if own != invitation.email_key:
            raise Refused("invitation_for_another")
        vouch_for(session, person)
        return _enter(session, application, invitation, name, person.account_id)


def _join_anew(application: Application, token: str, offer: Offer, newcomer: Newcomer, network: str) -> Joined:
    called, password = newcomer.name or "", newcomer.password or ""
    with credentials.hashing(application, NEW_PASSWORD, network):
        hashed = credentials.new_hash(password, called, offer.email)
    with application.control.begin() as session:
        name, invitation = _hold(session, token)
        try:
            account_id = add_account(session, application, called, invitation.email, hashed)
        except Refused as refusal:
            if refusal.code != "link_over":
                raise
            # The address got an account since it was looked for.
            raise Refused("unauthenticated") from None
        # The password that was chosen just now is theirs.
        vouch_for(session, Person(account_id, "", confirmed=True))
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
        make_renewal_due(session, account_id)
        record(session, application, "member.joined", who, where, who, role=role, invitation=invitation.id)
        owners_changed(session, application, where, who, role)
    return Joined(where, name, role)


def _this(token: str) -> tuple[Any, Any]:
    return INVITATION.c.token_hash == token_hash(token), INVITATION.c.expires_at > now()
