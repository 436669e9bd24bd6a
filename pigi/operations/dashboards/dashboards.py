"""Queries for pages that show several things at once: counts, names and latest changes, each in one query."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, literal, or_, select

from pigi.clock import now
from pigi.domain.canary import KIND as CANARIES
from pigi.domain.canary import NAME as CANARY
from pigi.domain.resources import ResourceState
from pigi.ids import first_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import ORGANISATION, reading
from pigi.operations.configuration import PROJECT, RESOURCE, ResourceView
from pigi.operations.generations import GENERATION, TABLE
from pigi.store.people import Account
from pigi.store.processing import PERSON

if TYPE_CHECKING:
    from collections.abc import Collection

    from pigi.application import Application
    from pigi.domain.access import Caller

LATELY = timedelta(days=1)


def count_jobs(application: Application) -> dict[str, int]:
    """How many of the jobs requested in the last 24 hours are in each state, all organisations together.

    Pigi's own count too, but for those that its canary asks for: as somebody does, and for nobody.
    """
    organisations = select(ORGANISATION.c.id).where(ORGANISATION.c.canary)
    lately = select(JOB.c.state, func.count().label("jobs")).where(
        JOB.c.id >= first_id(now() - LATELY),
        or_(JOB.c.organisation_id.is_(None), JOB.c.organisation_id.not_in(organisations)),
        JOB.c.requested_by != CANARY,
        JOB.c.requested_by.not_in(select(literal(PERSON) + Account.id).where(Account.kind == CANARIES)),
    )
    with application.control.autocommit() as connection:
        return {row.state: row.jobs for row in connection.execute(lately.group_by(JOB.c.state))}


def generation_names(
    application: Application, caller: Caller, generation_ids: Collection[str]
) -> dict[str, tuple[str, str]]:
    """The kind of resource and the name of each generation that is still there."""
    if not generation_ids:
        return {}
    query = select(GENERATION.c.id, GENERATION.c.resource, GENERATION.c.name).where(GENERATION.c.id.in_(generation_ids))
    with application.tenants.read(caller.organisation_id) as session:
        return {
            row.id: (row.resource, session.sealer.open(row.name, TABLE, "name", row.id))
            for row in session.execute(query)
        }


def latest_resources(application: Application, caller: Caller, most: int = 6) -> list[ResourceView]:
    """Resources in use of all projects in use, those changed last first, without content."""
    in_use = RESOURCE.c.state == ResourceState.ACTIVE, PROJECT.c.state == ResourceState.ACTIVE
    query = select(RESOURCE).join(PROJECT, PROJECT.c.id == RESOURCE.c.project_id).where(*in_use)
    query = query.order_by(RESOURCE.c.updated_at.desc(), RESOURCE.c.id.desc()).limit(most)
    with reading(application, caller) as session:
        return [_resource(session, row) for row in session.execute(query)]


def _resource(session: Any, row: Any) -> ResourceView:
    name = session.sealer.open(row.name, RESOURCE.name, "name", row.id)
    return ResourceView(row.id, row.project_id, row.kind, name, row.revision, row.state, row.created_at, row.updated_at)
