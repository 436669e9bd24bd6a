"""Organisations: their making and their databases' migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from pigi.clock import now
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.jobs.enqueue import enqueue
from pigi.jobs.kinds import MIGRATE_ORGANISATION
from pigi.store.control import Organisation
from pigi.store.migrate import tenant_head

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.context import JobContext
    from pigi.store.tenants import Tenants

NAME_LENGTH = 120


def create_organisation(application: Application, name: str) -> str:
    """Make an organisation with a data key and a database of its own; returns its id.

    The database comes first, so that no organisation is ever seen without one; a crash in between leaves an
    empty database that nothing points at.

    Raises Refused ``invalid_name`` for a blank name or one over 120 characters.
    """
    name = name.strip()
    if not 0 < len(name) <= NAME_LENGTH or not name.isprintable():
        raise Refused("invalid_name")
    organisation_id = new_id()
    revision = application.tenants.provision(organisation_id)
    with application.control.begin() as session:
        session.add(
            Organisation(
                id=organisation_id, name=name, state="active", epoch=1, schema_revision=revision, created_at=now()
            )
        )
        application.tenants.create_key(session, organisation_id)
    return organisation_id


def list_organisations(application: Application) -> list[tuple[str, str, str]]:
    """The id, name and state of every organisation, oldest first."""
    with application.control.read() as session:
        rows = session.execute(select(Organisation.id, Organisation.name, Organisation.state).order_by(Organisation.id))
        return [(row.id, row.name, row.state) for row in rows]


def check_organisation(application: Application, organisation_id: str) -> None:
    """Raise Refused ``not_found`` unless there is such an active organisation."""
    with application.control.read() as session:
        found = is_id(organisation_id) and session.scalar(
            select(Organisation.state).where(Organisation.id == organisation_id)
        )
    if found != "active":
        raise Refused("not_found")


def ask_for_migrations(application: Application, asked_by: str) -> int:
    """Enqueue a migration for each organisation whose database is behind; returns how many."""
    with application.control.begin() as session:
        behind = session.scalars(
            select(Organisation.id).where(Organisation.schema_revision != tenant_head(), Organisation.state == "active")
        ).all()
        for organisation_id in behind:
            enqueue(session, application.bell, MIGRATE_ORGANISATION, organisation_id=organisation_id, asked_by=asked_by)
    return len(behind)


def migrate_organisation(context: JobContext, tenants: Tenants) -> None:
    """Bring the organisation's database to the newest revision and note it."""
    if not context.begin_effect("schema").settled:
        revision = tenants.migrate(context.organisation_id)
        context.settle_effect("schema", revision)
        with context.control.begin() as session:
            session.execute(
                update(Organisation).where(Organisation.id == context.organisation_id).values(schema_revision=revision)
            )
