"""Members: who belongs to an organisation, as what, and how that ends.

Nobody grants, changes or ends a role above their own, and there is always an owner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from pigi.domain.access import AccountState, Action, KeyFate, Role, role_may
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.access import changing_access, find_role
from pigi.operations.accounts import make_renewal_due
from pigi.operations.api_keys import settle_keys
from pigi.operations.audit import record
from pigi.operations.billing import contact_changed
from pigi.store.paging import read_stretch
from pigi.store.people import Account, Invitation, Membership

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

MEMBERSHIP: Any = Membership.__table__
INVITATION: Any = Invitation.__table__
PAGE = 200


@dataclass(frozen=True, repr=False)
class MemberView:
    """A member as the other members see them."""

    account_id: str
    name: str
    email: str
    role: Role
    joined_at: datetime


_MEMBERS = select(Account.id, Account.name, Account.email, Membership.role, Membership.joined_at).join(
    Membership, Membership.account_id == Account.id
)


def list_members(
    application: Application,
    caller: Caller,
    *,
    limit: int = PAGE,
    after: str | int | None = None,
    back_from: str | int | None = None,
) -> list[MemberView]:
    """Members, the oldest account first.

    ``after`` is the account of the last one of the page before, ``back_from`` that of the first one of the page after.
    """
    query: Any = _MEMBERS.where(Membership.organisation_id == caller.organisation_id)
    place: Any = Account.id
    with application.control.read() as session:
        rows = read_stretch(
            session.execute,
            query,
            place,
            limit=min(limit, PAGE + 1),
            before=after,
            after=back_from,
            lowest_first=True,
        )
        return [_view(row) for row in rows]


def member_names(application: Application, caller: Caller) -> dict[str, str]:
    """The names of all members, by their accounts."""
    query = _MEMBERS.where(Membership.organisation_id == caller.organisation_id)
    with application.control.read() as session:
        return {row.id: row.name for row in session.execute(query)}


def read_member(application: Application, caller: Caller, account_id: str) -> MemberView:
    """One member; raises Refused ``not_found``."""
    query = _MEMBERS.where(Membership.organisation_id == caller.organisation_id, Account.id == account_id)
    with application.control.read() as session:
        row = session.execute(query).first() if is_id(account_id) else None
    if row is None:
        raise Refused("not_found")
    return _view(row)


def change_role(  # noqa: PLR0913 - who, what they become, and what becomes of their keys
    application: Application,
    caller: Caller,
    account_id: str,
    role: Role,
    on_done: OnDone | None = None,
    *,
    keys: KeyFate = KeyFate.REVOKE,
) -> None:
    """Make a member something else, in effect from the next request on; ``keys`` are those that open more than that.

    Raises Refused: ``not_found``; ``forbidden`` if the role that they have or get is above the caller's;
        ``last_owner``; ``confirmation_required`` if somebody becomes an owner, or is one no longer.
    """
    with changing_access(application, caller, Action.MEMBERS_CHANGE) as (session, own):
        was = _role_of(session, caller, account_id)
        if not (own.covers(was) and own.covers(role)):
            raise Refused("forbidden")
        if role is not was:
            if was is Role.OWNER:
                _keep_an_owner(session, caller.organisation_id)
            session.execute(update(MEMBERSHIP).where(*_place(caller, account_id)).values(role=role))
            subject = f"account:{account_id}"
            record(
                session, application, "member.role_changed", caller.name, caller.organisation_id, subject,
                was=was, role=role,
            )  # fmt: skip
            _withdraw_invitations(session, application, caller, account_id, role)
            _settle(session, application, caller, account_id, role, keys)
            owners_changed(session, application, caller.organisation_id, caller.name, was, role)
        if on_done is not None:
            on_done(session)


def end_membership(
    application: Application,
    caller: Caller,
    account_id: str,
    on_done: OnDone | None = None,
    *,
    keys: KeyFate = KeyFate.REVOKE,
) -> None:
    """Leave, or remove somebody, in effect at once, also for the API keys that they answer for.

    Raises Refused: ``not_found``; ``forbidden`` for another's membership, unless the caller may change members and
        their role is not above the caller's; ``last_owner``; ``confirmation_required`` if they are an owner;
        ``second_factor_required`` from who lacks it and removes somebody else.
    """
    with changing_access(application, caller, Action.MEMBERSHIP_END) as (session, own):
        was = _role_of(session, caller, account_id)
        leaving = account_id == caller.account_id
        if caller.barred and not leaving:
            raise Refused("second_factor_required")
        if not leaving and not (role_may(own, Action.MEMBERS_CHANGE) and own.covers(was)):
            raise Refused("forbidden")
        if was is Role.OWNER:
            _keep_an_owner(session, caller.organisation_id)
        session.execute(delete(MEMBERSHIP).where(*_place(caller, account_id)))
        kind, subject = "member.left" if leaving else "member.removed", f"account:{account_id}"
        record(session, application, kind, caller.name, caller.organisation_id, subject, role=was)
        _withdraw_invitations(session, application, caller, account_id, None)
        _settle(session, application, caller, account_id, None, keys)
        owners_changed(session, application, caller.organisation_id, caller.name, was)
        if on_done is not None:
            on_done(session)


def owners_changed(
    session: ControlSession, application: Application, organisation_id: str, by: str, *roles: Role
) -> None:
    """Tell Stripe, which writes to an owner, if one of ``roles`` is an owner's; people are told by the audit entry."""
    if Role.OWNER in roles:
        contact_changed(session, application, organisation_id, by)


def _place(caller: Caller, account_id: str) -> tuple[Any, Any]:
    return MEMBERSHIP.c.organisation_id == caller.organisation_id, MEMBERSHIP.c.account_id == account_id


def _role_of(session: ControlSession, caller: Caller, account_id: str) -> Role:
    role = find_role(session, caller.organisation_id, account_id) if is_id(account_id) else None
    if role is None:
        raise Refused("not_found")
    return role


def _keep_an_owner(session: ControlSession, organisation_id: str) -> None:
    owners = session.scalar(
        select(func.count())
        .select_from(MEMBERSHIP)
        # One who deleted their account will be gone in days.
        .join(Account, (Account.id == MEMBERSHIP.c.account_id) & (Account.state == AccountState.ACTIVE))
        .where(MEMBERSHIP.c.organisation_id == organisation_id, MEMBERSHIP.c.role == Role.OWNER)
    )
    if (owners or 0) < 2:  # noqa: PLR2004 - the one who stops being one, and another
        raise Refused("last_owner")


def _settle(  # noqa: PLR0913 - whose keys, as what they stay, and what with them
    session: ControlSession, application: Application, caller: Caller, account_id: str, role: Role | None, fate: KeyFate
) -> None:
    where = caller.organisation_id
    settle_keys(session, application, caller.name, where, account_id, role=role, fate=fate)
    make_renewal_due(session, account_id)


def _withdraw_invitations(
    session: ControlSession, application: Application, caller: Caller, account_id: str, role: Role | None
) -> None:
    """Revoke what the account invited and could not invite any more: a link to themselves would undo the change."""
    mine = (INVITATION.c.organisation_id == caller.organisation_id) & (INVITATION.c.invited_by == account_id)
    for row in session.execute(select(INVITATION.c.id, INVITATION.c.role).where(mine)).all():
        if role is not None and role_may(role, Action.INVITATIONS_CHANGE) and role.covers(Role(row.role)):
            continue
        session.execute(delete(INVITATION).where(INVITATION.c.id == row.id))
        where = caller.organisation_id
        record(
            session, application, "invitation.revoked", caller.name, where, f"invitation:{row.id}",
            invitation=row.id, role=row.role,
        )  # fmt: skip


def _view(row: Any) -> MemberView:
    return MemberView(row.id, row.name, row.email, Role(row.role), row.joined_at)
