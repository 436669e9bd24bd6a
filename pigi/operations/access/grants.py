"""Access grants: whether somebody may still do what they might when their request began.

`pigi.operations.access.authorisation` decides when a request comes in. A change of access decides again within its own
transaction, and whatever streams for longer than a moment checks again while it does.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, or_, select

from pigi.clock import now
from pigi.domain.access import Action, Caller, OrganisationState, Role, Scope, is_found, key_may, role_may
from pigi.errors import Refused
from pigi.store.control import Organisation
from pigi.store.people import HAS_FACTOR, SESSION_IS_OPEN, Account, ApiKey, Membership, Session, session_is_open

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pigi.application import Application
    from pigi.domain.access import Person
    from pigi.store.sessions import ControlSession

ORGANISATION: Any = Organisation.__table__


@dataclass(frozen=True)
class AccessGrant:
    """What somebody's access to an organisation rests on: a browser's session, or an API key.

    ``deletion`` is set for whoever follows the organisation's deletion, which nothing else there outlives; ``reading``
    is what a job's kind asks of whoever follows it, where that is not the usual.
    """

    organisation_id: str
    session_id: str | None = None
    key_id: str | None = None
    deletion: bool = False
    reading: Action | None = None

    def wanted(self, action: Action) -> Action:
        """What must be allowed, for somebody who would do ``action``."""
        return Action.DELETION_READ if self.deletion else self.reading or action


@contextmanager
def changing_access(application: Application, caller: Caller, action: Action) -> Iterator[tuple[ControlSession, Role]]:
    """A transaction in which nobody else changes the organisation's access, and the caller's role in it.

    Two requests that were each allowed on their own could otherwise together leave no owner, or grant what
    the granter has just lost.

    Raises Refused: ``not_found`` and ``forbidden``, if the caller may no longer.
    """
    with application.control.begin() as session:
        held = hold_organisation(session, caller.organisation_id)
        role = find_role(session, caller.organisation_id, caller.account_id or "")
        if held is None or role is None:
            raise Refused("not_found")
        if not role_may(role, action):
            raise Refused("forbidden")
        if not is_found(held.state, role, action):
            raise Refused("not_found")
        vouch_for(session, caller)
        yield session, role


CONFIRMED = "confirmed"
"""Under which a transaction's session holds whose confirmed session it acts for."""


def vouch_for(session: ControlSession, caller: Caller | Person) -> None:
    """Note for the transaction that ``caller`` has confirmed their session, if they have: dear acts ask for it."""
    if caller.confirmed:
        session.info[CONFIRMED] = caller.name


def is_vouched_for(session: ControlSession, name: str) -> bool:
    """Whether the transaction acts for a confirmed session of whoever rows name so."""
    return bool(session.info.get(CONFIRMED) == name)


def lock_organisation(session: ControlSession, organisation_id: str) -> str:
    """`hold_organisation` of an active one; its name. Raises Refused ``not_found``."""
    held = hold_organisation(session, organisation_id)
    if held is None or held.state != OrganisationState.ACTIVE:
        raise Refused("not_found")
    return str(held.name)


def hold_organisation(session: ControlSession, organisation_id: str) -> Any:
    """Let changes of an organisation's access follow one another; its row, None if it is gone.

    The lock is the one that an UPDATE of the row would take, which jobs that refer to it do not wait for.
    """
    query = select(ORGANISATION).where(ORGANISATION.c.id == organisation_id)
    return session.execute(query.with_for_update(key_share=True)).first()


def find_role(session: ControlSession, organisation_id: str, account_id: str) -> Role | None:
    """What an account is in an organisation now; None if it is nothing there."""
    found = session.scalar(
        select(Membership.role).where(
            Membership.organisation_id == organisation_id, Membership.account_id == account_id
        )
    )
    return None if found is None else Role(found)


_SESSIONS: Any = (
    select(
        Session.id,
        Membership.organisation_id,
        Membership.role,
        Organisation.state,
        or_(Organisation.second_factor.is_(False), HAS_FACTOR).label("unbarred"),
    )
    .join(Account, Account.id == Session.account_id)
    .join(Membership, Membership.account_id == Account.id)
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .where(
        Session.id.in_(bindparam("ids", expanding=True)),
        Membership.organisation_id.in_(bindparam("organisations", expanding=True)),
        SESSION_IS_OPEN,
        Account.state == "active",
    )
)
_KEYS: Any = (
    select(ApiKey.id, ApiKey.organisation_id, ApiKey.scopes)
    .join(Organisation, Organisation.id == ApiKey.organisation_id)
    .where(
        ApiKey.id.in_(bindparam("ids", expanding=True)),
        ApiKey.revoked_at.is_(None),
        ApiKey.expires_at > bindparam("moment"),
        Organisation.state == "active",
    )
)


def still_granted(application: Application, grants: Collection[AccessGrant], action: Action) -> set[AccessGrant]:
    """Those of ``grants`` under which ``action`` may still be done, in at most two queries."""
    moment = now()
    sessions = [grant.session_id for grant in grants if grant.session_id is not None]
    keys = [grant.key_id for grant in grants if grant.key_id is not None]
    roles: dict[tuple[str, str], Any] = {}
    scopes: dict[tuple[str, str], frozenset[Scope]] = {}
    with application.control.autocommit() as connection:
        if sessions:
            within = sorted({grant.organisation_id for grant in grants})
            parameters = {"ids": sessions, "organisations": within, **session_is_open(moment)}
            roles = {(row.organisation_id, row.id): row for row in connection.execute(_SESSIONS, parameters)}
        if keys:
            for row in connection.execute(_KEYS, {"ids": keys, "moment": moment}):
                scopes[row.organisation_id, row.id] = frozenset(map(Scope, row.scopes.split()))

    def holds(grant: AccessGrant) -> bool:
        wanted, where = grant.wanted(action), grant.organisation_id
        if grant.key_id is not None:
            return key_may(scopes.get((where, grant.key_id), frozenset()), wanted)
        row = roles.get((where, grant.session_id or ""))
        if row is None or not row.unbarred:
            return False
        return is_found(row.state, Role(row.role), wanted) and role_may(Role(row.role), wanted)

    return {grant for grant in grants if holds(grant)}
