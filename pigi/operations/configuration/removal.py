"""What takes the space, and removing what is archived with all its revisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select

from pigi.domain.resources import ResourceState
from pigi.errors import Refused
from pigi.operations.access import reading
from pigi.operations.configuration.projects import PROJECT
from pigi.operations.configuration.revisions import RESOURCE, REVISION, at
from pigi.operations.configuration.workspace import locked_row
from pigi.operations.plans import Growth, count_write, total_weight, weight

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.operations.configuration.revisions import ResourceAddress
    from pigi.store.sessions import TenantSession

_REVISIONS: Any = total_weight(REVISION)


@dataclass(frozen=True, repr=False)
class SpaceView:
    """A resource and what it takes: the bytes of all its revisions, as the quota counts them, and how many."""

    id: str
    kind: str
    name: str
    state: str
    project_id: str
    project_name: str
    project_state: str
    bytes: int
    revisions: int

    @property
    def is_archived(self) -> bool:
        """Whether it can be deleted for good."""
        return ResourceState.ARCHIVED in {self.state, self.project_state}


def largest_resources(application: Application, caller: Caller, most: int = 50) -> list[SpaceView]:
    """The resources that take the most, archived or not, the largest first. It adds all revisions up."""
    sums = select(REVISION.c.resource_id, _REVISIONS.label("bytes"), func.count().label("revisions"))
    largest = sums.group_by(REVISION.c.resource_id).order_by(_REVISIONS.desc(), REVISION.c.resource_id).limit(most)
    part: Any = largest.subquery()
    query = (
        select(
            *RESOURCE.c["id", "kind", "name", "state", "project_id"],
            PROJECT.c.name.label("project_name"),
            PROJECT.c.state.label("project_state"),
            part.c["bytes", "revisions"],
        )
        .join(RESOURCE, RESOURCE.c.id == part.c.resource_id)
        .join(PROJECT, PROJECT.c.id == RESOURCE.c.project_id)
        .order_by(part.c.bytes.desc(), RESOURCE.c.id)
    )
    with reading(application, caller) as session:
        unseal = session.sealer.open
        return [
            SpaceView(
                row.id,
                row.kind,
                unseal(row.name, RESOURCE.name, "name", row.id),
                row.state,
                row.project_id,
                unseal(row.project_name, PROJECT.name, "name", row.project_id),
                row.project_state,
                int(row.bytes) + weight({"name": row.name}),
                row.revisions,
            )
            for row in session.execute(query)
        ]


def remove_resource(session: TenantSession, place: ResourceAddress) -> None:
    """Remove an archived resource, or one of an archived project, with its revisions.

    Raises Refused: ``not_found``, ``not_archived``.
    """
    project = locked_row(session, PROJECT, place.project_id)
    row = locked_row(session, RESOURCE, place.resource_id, *at(place))
    if ResourceState.ARCHIVED not in {project.state, row.state}:
        raise Refused("not_archived")
    _remove(session, RESOURCE.c.id == row.id, Growth())


def remove_project(session: TenantSession, project_id: str) -> int:
    """Remove an archived project with all that is in it; how many resources. Raises Refused as `remove_resource`."""
    project = locked_row(session, PROJECT, project_id)
    if project.state != ResourceState.ARCHIVED:
        raise Refused("not_archived")
    within = RESOURCE.c.project_id == project_id
    session.execute(select(RESOURCE.c.id).where(within).order_by(RESOURCE.c.id).with_for_update())
    count = _remove(session, within, Growth(-weight(project._mapping), projects=-1))  # noqa: SLF001 - SQLAlchemy's name
    session.execute(delete(PROJECT).where(PROJECT.c.id == project_id))
    return count


def _remove(session: TenantSession, which: ColumnElement[bool], besides: Growth) -> int:
    """Remove resources whose rows the session holds, with their revisions; how many. ``besides`` is counted too."""
    own: Any = session.execute(
        select(func.count().label("rows"), total_weight(RESOURCE).label("bytes")).where(which)
    ).one()
    revisions = REVISION.c.resource_id.in_(select(RESOURCE.c.id).where(which))
    taken = int(own.bytes) + int(session.execute(select(_REVISIONS).where(revisions)).scalar_one())
    count_write(session, None, besides + Growth(-taken, resources=-own.rows))
    session.execute(delete(REVISION).where(revisions))
    session.execute(delete(RESOURCE).where(which))
    return int(own.rows)
