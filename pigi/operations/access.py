"""The one place that decides who may act in an organisation, before its database is opened (P08, P16, P19).

It reads the control database alone. Another organisation's identifiers, and those of none, are answered
alike: there is no such thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from pigi.domain.access import Action, Caller, Key, Person, Role, key_may, role_may
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.store.control import Job, Organisation, Tombstone
from pigi.store.people import Membership

if TYPE_CHECKING:
    from pigi.application import Application

_ROLE: Any = (
    select(Membership.role)
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .where(
        Membership.organisation_id == bindparam("organisation"),
        Membership.account_id == bindparam("account"),
        Organisation.state == "active",
    )
)


def authorise(application: Application, principal: Person | Key, organisation_id: str, action: Action) -> Caller:
    """The caller, if ``principal`` may do ``action`` in the organisation.

    A key was found together with its active organisation a moment ago (`pigi.operations.api_keys`), so it is
    not looked up again.

    Raises Refused: ``not_found`` for whoever does not belong there, ``forbidden`` for whoever may less.
    """
    if isinstance(principal, Key):
        if principal.organisation_id != organisation_id:
            raise Refused("not_found")
        return _allowed(Caller(organisation_id, key_id=principal.key_id), may=key_may(principal.scopes, action))
    role = None if principal.operator else role_in(application, principal.account_id, organisation_id)
    if role is None:
        raise Refused("not_found")
    return _allowed(Caller(organisation_id, role, principal.account_id), may=role_may(role, action))


def role_in(application: Application, account_id: str, organisation_id: str) -> Role | None:
    """What an account is in an active organisation; None if it is nothing there."""
    if not is_id(organisation_id):
        return None
    with application.control.quick() as connection:
        found = connection.execute(_ROLE, {"organisation": organisation_id, "account": account_id}).scalar()
    return None if found is None else Role(found)


def organisation_of_job(application: Application, job_id: str) -> str:
    """Whose job it is; raises Refused ``not_found`` for none, and for Pigi's own."""
    if not is_id(job_id):
        raise Refused("not_found")
    with application.control.quick() as connection:
        for table in (Job, Tombstone):
            found = connection.execute(select(table.organisation_id).where(table.id == job_id)).scalar()
            if found is not None:
                return str(found)
    raise Refused("not_found")


def _allowed(caller: Caller, *, may: bool) -> Caller:
    if not may:
        raise Refused("forbidden")
    return caller
