"""Access grants: whether somebody may still do what they might when their request began.

`pigi.operations.access.authorisation` decides when a request comes in. A change of access decides again within its own
transaction, and whatever streams for longer than a moment checks again while it does.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from pigi.clock import now
from pigi.domain.access import Action, Caller, OrganisationState, Role, Scope, is_found, key_may, role_may
from pigi.domain.retention import Retention, cutoff
from pigi.errors import Refused
from pigi.store.control import Organisation
from pigi.store.people import Account, ApiKey, Membership, Session

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

ORGANISATION: Any = Organisation.__table__


@dataclass(frozen=True)
class AccessGrant:
    """What somebody's access to an organisation rests on: a browser's session, or an API key.

    ``deletion`` is set for whoever follows the organisation's deletion, which nothing else there outlives.
    """

    organisation_id: str
    session_id: str | None = None
    key_id: str | None = None
    deletion: bool = False


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
        if held is None or role is None or not is_found(held.state, role, action):
            raise Refused("not_found")
        if not role_may(role, action):
            raise Refused("forbidden")
        yield session, role


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
    select(Session.id, Membership.organisation_id, Membership.role, Organisation.state)
    .join(Account, Account.id == Session.account_id)
    .join(Membership, Membership.account_id == Account.id)
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .where(
        Session.id.in_(bindparam("ids", expanding=True)),
        Membership.organisation_id.in_(bindparam("organisations", expanding=True)),
        Session.seen_at > bindparam("since"),
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
    found: set[AccessGrant] = set()
    with application.control.autocommit() as connection:
        if sessions:
            within = sorted({grant.organisation_id for grant in grants})
            parameters = {"ids": sessions, "organisations": within, "since": cutoff(Retention.SESSION, moment)}
            for row in connection.execute(_SESSIONS, parameters):
                found |= _of_session(row, action)
        if keys:
            for row in connection.execute(_KEYS, {"ids": keys, "moment": moment}):
                if key_may(frozenset(map(Scope, row.scopes.split())), action):
                    found.add(AccessGrant(row.organisation_id, key_id=row.id))
    return found & set(grants)


def _of_session(row: Any, action: Action) -> set[AccessGrant]:
    """The grants of a session's row: for ``action``, and for following a deletion."""
    role, actions = Role(row.role), {False: action, True: Action.DELETION_READ}
    return {
        AccessGrant(row.organisation_id, session_id=row.id, deletion=deletion)
        for deletion, wanted in actions.items()
        if is_found(row.state, role, wanted) and role_may(role, wanted)
    }
