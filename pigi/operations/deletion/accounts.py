"""Deleting an account (P30): for a week its owner can sign in and undo it, then it is removed for good.

An organisation that nobody else owns is handed over before, or taken along: it would be left to nobody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from pigi.clock import now
from pigi.domain.access import AccountState, KeyFate, OrganisationState, Role
from pigi.domain.deletions import DeletionScope, DeletionState
from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.operations.access import ORGANISATION, hold_organisation, vouch_for
from pigi.operations.accounts import ACCOUNT, AccountView, ask_for_factor, close_sessions, prove, read_account
from pigi.operations.api_keys import settle_keys
from pigi.operations.audit import record
from pigi.operations.deletion.account_purge import STEPS
from pigi.operations.deletion.letters import write_to_account
from pigi.operations.deletion.records import DELETION, call_off, open_deletion
from pigi.operations.deletion.requests import close_for_deletion, reopen
from pigi.store.people import Account, AccountToken, Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.store.sessions import ControlSession

    OnDone = Callable[[ControlSession], None]

MEMBERSHIP: Any = Membership.__table__
TOKEN: Any = AccountToken.__table__
ACCOUNTS = DeletionScope.ACCOUNT


def delete_account(  # noqa: PLR0913 - who, what with it, and their proof
    application: Application,
    person: Person,
    password: str,
    organisations: Sequence[str],
    network: str,
    on_done: OnDone | None = None,
    *,
    keys: KeyFate = KeyFate.REVOKE,
) -> AccountView:
    """Close the account at once, with those ``organisations`` of which it is the only owner; repeated, the same.

    Its other sessions and all mailed links end, and its API keys in organisations that go on, for good, unless they are
    handed over. Nothing is removed before the grace is over.

    Raises Refused: ``not_for_operators``; ``confirmation_required`` with a second factor; ``wrong_password``,
        ``too_many_tries``, ``unavailable``; ``sole_owner``, with the organisations that are neither listed nor owned
        by anybody else; ``invalid`` for one that is listed and need not go.
    """
    if person.operator:
        raise Refused("not_for_operators")
    ask_for_factor(person)
    with application.control.read() as session:
        row = session.execute(select(ACCOUNT).where(ACCOUNT.c.id == person.account_id)).one()
    with prove(application, row, password, network):
        pass
    with application.control.begin() as session:
        # The password stands for a confirmed session.
        vouch_for(session, replace(person, confirmed=True))
        close_account(session, application, row, organisations, person.name, keep_session=person.session_id, keys=keys)
        if on_done is not None:
            on_done(session)
    return read_account(application, row.id)


def close_account(  # noqa: PLR0913 - whose, what with it, and for whom
    session: ControlSession,
    application: Application,
    row: Any,
    organisations: Sequence[str],
    by: str,
    *,
    keep_session: str = "",
    keys: KeyFate = KeyFate.REVOKE,
) -> None:
    """Begin the deletion of the account ``row``; nothing if it has begun. Raises Refused as `delete_account`."""
    if not _close(session, row):
        return
    places = _hold_places(session, row.id)
    _take_along(session, application, row.id, organisations, by)
    for organisation_id in places:
        if organisation_id not in organisations:
            settle_keys(session, application, by, organisation_id, row.id, role=None, fate=keys)
    close_sessions(session, row.id, but=keep_session)
    session.execute(delete(TOKEN).where(TOKEN.c.account_id == row.id))
    record(session, application, "account.deletion_started", by, subject=f"account:{row.id}")


def restore_account(application: Application, person: Person, on_done: OnDone | None = None) -> AccountView:
    """Undo the deletion, and that of the organisations that it took along.

    Raises Refused: ``not_for_operators``; ``not_restorable`` unless it is being deleted and its grace lasts.
    """
    if person.operator:
        raise Refused("not_for_operators")
    with application.control.begin() as session:
        connection = session.connection()
        again = {"state": AccountState.ACTIVE.value}
        deleting = (ACCOUNT.c.id == person.account_id) & (ACCOUNT.c.state == AccountState.DELETING.value)
        lasts = select(DELETION.c.id).where(
            DELETION.c.subject_id == person.account_id, DELETION.c.restorable_until > now()
        )
        moved = connection.execute(update(ACCOUNT).where(deleting, lasts.exists()).values(again))
        deletion_id = call_off(connection, ACCOUNTS, person.account_id) if moved.rowcount == 1 else None
        if deletion_id is None:
            raise Refused("not_restorable")
        # Every session of theirs began with the password since the deletion, or is the one that gave it then.
        vouch_for(session, replace(person, confirmed=True))
        for organisation_id in _taken_along(connection, deletion_id):
            if hold_organisation(session, organisation_id) is not None:
                reopen(session, application, organisation_id, person.name)
        record(session, application, "account.restored", person.name, subject=person.name)
        if on_done is not None:
            on_done(session)
    return read_account(application, person.account_id)


def solely_owned(application: Application, person: Person) -> dict[str, str]:
    """The organisations that would be left without an owner if this account went: names by id."""
    with application.control.read() as session:
        return _solely_owned(session, person.account_id, hold=False)


def _close(session: ControlSession, row: Any) -> bool:
    """Begin the grace; False if it has begun. Nobody who learns the password meanwhile is in time."""
    same = (ACCOUNT.c.id == row.id) & (ACCOUNT.c.password_hash == row.password_hash)
    active = ACCOUNT.c.state == AccountState.ACTIVE.value
    closed = update(ACCOUNT).where(same, active).values(state=AccountState.DELETING.value)
    return int(session.connection().execute(closed).rowcount) == 1


def _hold_places(session: ControlSession, account_id: str) -> list[str]:
    """The active organisations of the account, held in the order of their ids, as `_solely_owned` holds them."""
    mine = select(MEMBERSHIP.c.organisation_id).where(MEMBERSHIP.c.account_id == account_id)
    places: list[str] = sorted(session.connection().execute(mine).scalars())
    held = [hold_organisation(session, one) for one in places]
    return [str(row.id) for row in held if row is not None and row.state == OrganisationState.ACTIVE]


def _take_along(
    session: ControlSession, application: Application, account_id: str, organisations: Sequence[str], by: str
) -> None:
    """Open the deletions of the account, now in ``deleting``, and of the organisations that go with it."""
    connection = session.connection()
    sole = _solely_owned(session, account_id, hold=True)
    left = [{"id": one, "name": name} for one, name in sole.items() if one not in organisations]
    if left:
        raise Refused("sole_owner", organisations=left)
    needless = [place for place, one in enumerate(organisations) if one not in sole]
    if needless:
        said = "is not an organisation that you alone own"
        raise Refused("invalid", errors=[{"pointer": f"/organisations/{place}", "message": said} for place in needless])
    names = [step.name for step in STEPS]
    deletion_id = open_deletion(connection, ACCOUNTS, account_id, by, names)
    for organisation_id in sole:
        close_for_deletion(session, application, organisation_id, by, part_of=deletion_id)
    write_to_account(session, application, Template.ACCOUNT_DELETION_STARTED, deletion_id, account_id)


def _solely_owned(session: ControlSession, account_id: str, *, hold: bool) -> dict[str, str]:
    """Active organisations that the account owns and no other account in use does: names by id.

    With ``hold`` their rows are held, in the order of their ids: two owners who go at once must not await each other.
    """
    connection = session.connection()
    owned = select(MEMBERSHIP.c.organisation_id).where(
        MEMBERSHIP.c.account_id == account_id, MEMBERSHIP.c.role == Role.OWNER.value
    )
    others = (
        select(func.count())
        .select_from(MEMBERSHIP)
        .join(Account, (Account.id == MEMBERSHIP.c.account_id) & (Account.state == AccountState.ACTIVE.value))
        .where(MEMBERSHIP.c.organisation_id == ORGANISATION.c.id, MEMBERSHIP.c.role == Role.OWNER.value)
        .where(MEMBERSHIP.c.account_id != account_id)
        .scalar_subquery()
    )
    found: dict[str, str] = {}
    ids: list[str] = sorted(connection.execute(owned).scalars())
    for organisation_id in ids:
        if hold:
            hold_organisation(session, organisation_id)
        active = (ORGANISATION.c.id == organisation_id) & (ORGANISATION.c.state == OrganisationState.ACTIVE.value)
        row = connection.execute(select(ORGANISATION.c.name, others.label("others")).where(active)).first()
        if row is not None and row.others == 0:
            found[organisation_id] = row.name
    return found


def _taken_along(connection: Connection, deletion_id: str) -> Sequence[str]:
    along = (DELETION.c.part_of == deletion_id, DELETION.c.state == DeletionState.GRACE.value)
    found: Sequence[str] = (
        connection.execute(select(DELETION.c.subject_id).where(*along).order_by(DELETION.c.subject_id)).scalars().all()
    )
    return found
