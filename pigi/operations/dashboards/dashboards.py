"""Queries for pages that show several things at once: counts, names and latest changes, each in one query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, literal, literal_column, or_, select

from pigi.clock import now
from pigi.domain.canary import KIND as CANARIES
from pigi.domain.canary import NAME as CANARY
from pigi.domain.job_state import JobState
from pigi.domain.resources import ResourceState
from pigi.ids import first_id
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.model.transitions import JOB
from pigi.operations.access import ORGANISATION, reading
from pigi.operations.configuration import PROJECT, RESOURCE, ResourceView
from pigi.operations.generations import GENERATION, TABLE
from pigi.store.people import Account
from pigi.store.processing import PERSON

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from pigi.application import Application
    from pigi.domain.access import Caller

LATELY = timedelta(days=1)
HOURS = 24
ONE_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class HourView:
    """Jobs that were requested in one hour, by how they stand now; those that come by themselves are left out."""

    begins: datetime
    succeeded: int
    failed: int
    others: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.succeeded + self.failed + self.others


def count_jobs(application: Application) -> dict[str, int]:
    """How many of the jobs requested in the last 24 hours are in each state, all organisations together.

    Pigi's own count too, but for those that its canary asks for: as somebody does, and for nobody.
    """
    lately = select(JOB.c.state, func.count().label("jobs")).where(JOB.c.id >= first_id(now() - LATELY), *_for_people())
    with application.control.autocommit() as connection:
        return {row.state: row.jobs for row in connection.execute(lately.group_by(JOB.c.state))}


def jobs_by_hour(application: Application) -> list[HourView]:
    """The last `HOURS` hours, the oldest first; the newest is the one that has begun. The canary's are left out."""
    newest = now().replace(minute=0, second=0, microsecond=0)
    begins = [newest - ONE_HOUR * back for back in reversed(range(HOURS))]
    # Ids sort by time, so hours are ranges of the primary key, on both engines alike.
    places = [(JOB.c.id >= first_id(begin), place) for place, begin in enumerate(begins)]
    hour = case(*reversed(places), else_=-1)
    housekeeping = [kind.name for kind in CATALOGUE.values() if kind.is_housekeeping]
    counted = select(hour.label("hour"), JOB.c.state, func.count().label("jobs")).where(
        JOB.c.id >= first_id(begins[0]), JOB.c.kind.not_in(housekeeping), *_for_people()
    )
    with application.control.autocommit() as connection:
        found = connection.execute(counted.group_by(literal_column("hour"), JOB.c.state)).all()
    counts = [{row.state: row.jobs for row in found if row.hour == place} for place in range(HOURS)]
    return [_hour(begin, by_state) for begin, by_state in zip(begins, counts, strict=True)]


def _hour(begins: datetime, counts: dict[str, int]) -> HourView:
    succeeded, failed = counts.pop(JobState.SUCCEEDED, 0), counts.pop(JobState.FAILED, 0)
    return HourView(begins, succeeded, failed, sum(counts.values()))


def _for_people() -> tuple[ColumnElement[bool], ...]:
    organisations = select(ORGANISATION.c.id).where(ORGANISATION.c.canary)
    return (
        or_(JOB.c.organisation_id.is_(None), JOB.c.organisation_id.not_in(organisations)),
        JOB.c.requested_by != CANARY,
        JOB.c.requested_by.not_in(select(literal(PERSON) + Account.id).where(Account.kind == CANARIES)),
    )


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
