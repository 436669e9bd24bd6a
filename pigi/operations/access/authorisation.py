"""Authorisation: the one function that decides who may act in an organisation, before its database is opened (P08).

It reads the control database alone. Another organisation's identifiers, and those of none, are answered
alike: there is no such thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, null, select

from pigi.domain.access import RULES, Action, Caller, Key, OrganisationState, Person, Role, is_found, key_may, role_may
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.jobs.kinds import kind_of
from pigi.store.control import Job, Organisation, Tombstone
from pigi.store.exports import Export
from pigi.store.people import Membership

if TYPE_CHECKING:
    from pigi.application import Application

_MEMBERSHIP: Any = (
    select(Membership.role, Organisation.state, Organisation.second_factor)
    .join(Organisation, Organisation.id == Membership.organisation_id)
    .where(
        Membership.organisation_id == bindparam("organisation"),
        Membership.account_id == bindparam("account"),
    )
)
_OF_JOB: Any = select(Job.organisation_id, Job.kind, Job.subject_id).where(Job.id == bindparam("job"))
_OWN_EXPORT: Any = select(Export.id).where(Export.account_id == bindparam("account"), Export.job_id == bindparam("job"))
_OF_TOMBSTONE: Any = select(Tombstone.organisation_id, Tombstone.kind, null().label("subject_id")).where(
    Tombstone.id == bindparam("job")
)


def authorise(application: Application, principal: Person | Key, organisation_id: str, action: Action) -> Caller:
    """The caller, if ``principal`` may do ``action`` in the organisation.

    A key was found together with its active organisation a moment ago (`pigi.operations.api_keys.keys`), so it is
    not looked up again.

    Raises Refused: ``not_found`` for whoever does not belong there; ``forbidden`` for whoever may less, whatever state
        the organisation is in; ``not_found`` for all else that one which is being deleted does no longer;
        ``second_factor_required`` for a member without the second factor that the organisation asks for.
    """
    if isinstance(principal, Key):
        if principal.organisation_id != organisation_id:
            raise Refused("not_found")
        return _allowed(Caller(organisation_id, key_id=principal.key_id), may=key_may(principal.scopes, action))
    membership = None if principal.operator else _membership(application, principal.account_id, organisation_id)
    if membership is None:
        raise Refused("not_found")
    role = Role(membership.role)
    barred = membership.second_factor and not principal.factor
    caller = Caller(
        organisation_id,
        role,
        principal.account_id,
        confirmed=principal.confirmed,
        factor=principal.factor,
        barred=barred,
    )
    _allowed(caller, may=role_may(role, action))
    if not is_found(membership.state, role, action):
        raise Refused("not_found")
    if barred and not RULES[action].without_factor:
        raise Refused("second_factor_required")
    return caller


def role_in(application: Application, account_id: str, organisation_id: str) -> Role | None:
    """What an account is in an active organisation; None if it is nothing there."""
    membership = _membership(application, account_id, organisation_id)
    active = membership is not None and membership.state == OrganisationState.ACTIVE
    return Role(membership.role) if active else None


def _membership(application: Application, account_id: str, organisation_id: str) -> Any:
    """What an account is in an organisation, the organisation's state, and whether it asks for a second factor."""
    if not is_id(organisation_id):
        return None
    with application.control.autocommit() as connection:
        return connection.execute(_MEMBERSHIP, {"organisation": organisation_id, "account": account_id}).first()


def organisation_of_job(application: Application, job_id: str, action: Action) -> tuple[str, Action]:
    """Whose job it is, and what ``action`` on it amounts to.

    A job of Pigi's own may be about an organisation, and be followed there, if its kind says so. Whoever changes
    a job must be allowed to do what the job is about.

    Raises Refused ``not_found`` for none, and for Pigi's own.
    """
    if not is_id(job_id):
        raise Refused("not_found")
    with application.control.autocommit() as connection:
        for query in (_OF_JOB, _OF_TOMBSTONE):
            found = connection.execute(query, {"job": job_id}).first()
            if found is None:
                continue
            kind = kind_of(found.kind)
            if found.organisation_id is not None:
                return str(found.organisation_id), kind.changing if action is Action.JOBS_CHANGE else kind.reading
            if kind.subject_reading and found.subject_id is not None and action is Action.JOBS_READ:
                return str(found.subject_id), kind.subject_reading
    raise Refused("not_found")


def is_own_export(application: Application, person: Person, job_id: str) -> bool:
    """Whether the job writes an export of this person: one of Pigi's own that they may read."""
    if not is_id(job_id):
        return False
    with application.control.autocommit() as connection:
        return connection.execute(_OWN_EXPORT, {"job": job_id, "account": person.account_id}).first() is not None


def may_change(caller: Caller, kind: str) -> bool:
    """Whether a member may cancel and retry jobs of this kind."""
    return caller.role is not None and role_may(caller.role, kind_of(kind).changing)


def _allowed(caller: Caller, *, may: bool) -> Caller:
    if not may:
        raise Refused("forbidden")
    return caller
