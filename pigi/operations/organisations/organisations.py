"""Organisations: their making, their names and their databases' migrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from pigi.clock import now
from pigi.domain.access import Action, OrganisationState, Role, is_found
from pigi.domain.names import is_name
from pigi.domain.resources.saving import check_secrets
from pigi.domain.retention import GRACE
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.execution.isolation import Isolation
from pigi.jobs.kinds import MIGRATE_ORGANISATION
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.access import ORGANISATION, changing_access
from pigi.operations.accounts import make_renewal_due
from pigi.operations.audit import CLI, record
from pigi.operations.billing import contact_changed
from pigi.operations.plans import refuse_until_tomorrow
from pigi.store.control import Organisation
from pigi.store.migrate import tenant_head
from pigi.store.people import Account, Membership

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller, Person
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sessions import ControlSession
    from pigi.store.tenants import Tenants

    OnMade = Callable[[ControlSession, str], None]
    OnDone = Callable[[ControlSession], None]

MOST_A_DAY = 20
"""Organisations that an account may make in a day (UTC): each costs a database."""


@dataclass(frozen=True, repr=False)
class OrganisationView:
    """An organisation as who asks may see it; ``role`` is theirs, None for an API key.

    ``second_factor`` says whether it asks its members for one.
    """

    id: str
    name: str
    role: Role | None
    created_at: datetime
    state: OrganisationState
    deletion_at: datetime | None
    second_factor: bool

    @property
    def purge_at(self) -> datetime | None:
        """Until when it can be restored, if it is being deleted; after that it is removed."""
        return None if self.deletion_at is None else self.deletion_at + GRACE


def create_organisation(
    application: Application, name: str, owner: Person | None = None, on_made: OnMade | None = None, *, by: str = ""
) -> str:
    """Make an organisation with a data key and a database of its own; returns its id.

    The database comes first, so that no organisation is ever seen without one; a crash in between leaves an
    empty database that nothing points at. ``owner`` None makes one without members, for the command line. ``by`` is
    who does it for the owner, as the audit chain names them.

    Raises Refused: ``invalid_name`` unless it is a line of 1 to 120 characters, ``secret_found`` in it,
        ``not_for_operators``, ``too_many_today`` over `MOST_A_DAY`.
    """
    name = _checked(name)
    if owner is not None:
        with application.control.read() as session:
            _check_owner(session, owner)
    organisation_id = new_id()
    revision = application.tenants.provision(organisation_id)
    try:
        with application.control.begin() as session:
            if owner is not None:
                _check_owner(session, owner)
            _insert(session, application, organisation_id, name, revision, owner, by or (owner.name if owner else CLI))
            if on_made is not None:
                on_made(session, organisation_id)
    except Refused:
        application.tenants.drop(organisation_id)
        raise
    return organisation_id


def _insert(  # noqa: PLR0913 - a row's columns
    session: ControlSession,
    application: Application,
    organisation_id: str,
    name: str,
    revision: str,
    owner: Person | None,
    by: str,
) -> None:
    moment = now()
    session.add(
        Organisation(
            id=organisation_id, name=name, state="active", epoch=1, schema_revision=revision, created_at=moment
        )
    )
    application.tenants.create_key(session, organisation_id)
    session.flush()
    record(session, application, "organisation.created", by, organisation_id)
    if owner is not None:
        session.add(
            Membership(organisation_id=organisation_id, account_id=owner.account_id, role=Role.OWNER, joined_at=moment)
        )
        session.flush()
        make_renewal_due(session, owner.account_id)
        record(session, application, "member.joined", by, organisation_id, owner.name, role=Role.OWNER)


def _check_owner(session: ControlSession, owner: Person) -> None:
    """Whoever joined at the moment of an organisation's making is who made it."""
    if owner.operator:
        raise Refused("not_for_operators")
    # Held to the end of the transaction, or requests that come together would all find room.
    session.execute(select(Account.id).where(Account.id == owner.account_id).with_for_update(key_share=True))
    made = session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            Membership.account_id == owner.account_id,
            Membership.joined_at == Organisation.created_at,
            Organisation.created_at >= now().replace(hour=0, minute=0, second=0, microsecond=0),
        )
    )
    if (made or 0) >= MOST_A_DAY:
        refuse_until_tomorrow(MOST_A_DAY)


def organisations_of(application: Application, person: Person, *, deleted: bool = False) -> list[OrganisationView]:
    """The organisations that somebody belongs to, oldest first; with ``deleted`` also those that they may restore.

    One that is being deleted can be read (`is_found`), but is nobody's place to work in.
    """
    query = (
        select(ORGANISATION, Membership.role)
        .join(Membership, Membership.organisation_id == ORGANISATION.c.id)
        .where(Membership.account_id == person.account_id)
        .order_by(ORGANISATION.c.id)
    )
    if not deleted:
        query = query.where(ORGANISATION.c.state == OrganisationState.ACTIVE.value)
    with application.control.read() as session:
        rows = [(row, Role(row.role)) for row in session.execute(query)]
    return [_view(row, role) for row, role in rows if is_found(row.state, role, Action.ORGANISATION_RESTORE)]


def read_organisation(application: Application, caller: Caller) -> OrganisationView:
    """The caller's organisation; raises Refused ``not_found`` if it is there for them no longer."""
    with application.control.read() as session:
        row = session.execute(select(ORGANISATION).where(ORGANISATION.c.id == caller.organisation_id)).first()
    role = caller.role or Role.MEMBER
    if row is None or not is_found(row.state, role, Action.ORGANISATION_READ):
        raise Refused("not_found")
    return _view(row, caller.role)


def _view(row: Any, role: Role | None) -> OrganisationView:
    state = OrganisationState(row.state)
    return OrganisationView(row.id, row.name, role, row.created_at, state, row.deletion_at, row.second_factor)


@dataclass(frozen=True, repr=False)
class OrganisationChange:
    """What to change of an organisation; None leaves it."""

    name: str | None = None
    second_factor: bool | None = None


def change_organisation(
    application: Application, caller: Caller, change: OrganisationChange, on_done: OnDone | None = None
) -> OrganisationView:
    """Give it another name, or ask its members for a second factor from their next request on: all, or nothing.

    Raises Refused: ``invalid_name``, ``secret_found``; ``forbidden`` for who is no owner and would change what is
        asked of members; ``second_factor_required`` for an owner who would be shut out by it; and as
        `changing_access`.
    """
    name = None if change.name is None else _checked(change.name)
    with changing_access(application, caller, Action.ORGANISATION_CHANGE) as (session, role):
        if name is not None:
            _rename(session, application, caller, name)
        if change.second_factor is not None:
            if role is not Role.OWNER:
                raise Refused("forbidden")
            _ask_for_factor(session, application, caller, wanted=change.second_factor)
        if on_done is not None:
            on_done(session)
    return read_organisation(application, caller)


def _rename(session: ControlSession, application: Application, caller: Caller, name: str) -> None:
    session.execute(update(Organisation).where(Organisation.id == caller.organisation_id).values(name=name))
    record(session, application, "organisation.renamed", caller.name, caller.organisation_id)
    contact_changed(session, application, caller.organisation_id, caller.name)


def _ask_for_factor(session: ControlSession, application: Application, caller: Caller, *, wanted: bool) -> None:
    if wanted and not caller.factor:
        raise Refused("second_factor_required")
    here = (ORGANISATION.c.id == caller.organisation_id) & ORGANISATION.c.second_factor.is_not(wanted)
    changed: Any = session.execute(update(ORGANISATION).where(here).values(second_factor=wanted))
    if changed.rowcount == 1:
        kind = f"organisation.second_factor_{'required' if wanted else 'optional'}"
        record(session, application, kind, caller.name, caller.organisation_id)


def _checked(name: str) -> str:
    name = name.strip()
    if not is_name(name):
        raise Refused("invalid_name")
    check_secrets({"name": name})
    return name


def list_organisations(application: Application) -> list[tuple[str, str, str]]:
    """The id, name and state of every organisation, oldest first, without Pigi's own; for operators."""
    columns = select(Organisation.id, Organisation.name, Organisation.state)
    with application.control.read() as session:
        rows = session.execute(columns.where(Organisation.canary.is_(False)).order_by(Organisation.id))
        return [(row.id, row.name, row.state) for row in rows]


def names_of(application: Application, ids: Collection[str | None]) -> dict[str, str]:
    """The names of these organisations by id, of those that are there; for operators."""
    query = select(Organisation.id, Organisation.name).where(Organisation.id.in_({one for one in ids if one}))
    with application.control.read() as session:
        return {row.id: row.name for row in session.execute(query)}


def request_migrations(application: Application, requested_by: str) -> int:
    """Enqueue a migration for each organisation whose database is behind; returns for how many.

    One that cannot be queued, as of an organisation that is deleted just now, is logged and not counted.
    """
    query = select(Organisation.id).where(Organisation.schema_revision != tenant_head(), Organisation.state == "active")
    with application.control.read() as session:
        behind = session.scalars(query).all()
    isolation = Isolation("migrations")
    for organisation_id in behind:
        with isolation.of(organisation_id), application.control.begin() as session:
            enqueue(
                session,
                application.notifier,
                MIGRATE_ORGANISATION,
                organisation_id=organisation_id,
                requested_by=requested_by,
            )
    isolation.report(len(behind))
    return len(behind) - isolation.skipped


def migrate_organisation(context: JobContext, tenants: Tenants) -> None:
    """Bring the organisation's database to the newest revision and record it."""
    if not context.begin_effect("schema").settled:
        revision = tenants.migrate(context.organisation_id)
        context.complete_effect("schema", revision)
        with context.control.begin() as session:
            session.execute(
                update(Organisation).where(Organisation.id == context.organisation_id).values(schema_revision=revision)
            )
