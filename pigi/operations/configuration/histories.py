"""Resources that come with their history, many at once: what an import adds."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from pigi.domain.limits import ROW_BYTES
from pigi.domain.resources import ResourceState
from pigi.operations.configuration.projects import PROJECT
from pigi.operations.configuration.revisions import (
    EXAMPLES,
    RESOURCE,
    REVISION,
    Authorship,
    Origin,
    leave_room,
    named,
    opened,
    revision_row,
)
from pigi.operations.configuration.workspace import check_active, locked_row, name_key
from pigi.operations.plans import Growth, count_write, sealed_length

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pigi.domain.plans import Plan
    from pigi.domain.resources.saving import CheckedContent
    from pigi.store.sessions import TenantSession


@dataclass(frozen=True, repr=False)
class PastRevision:
    """A revision as it was made elsewhere, and when."""

    content: CheckedContent
    origin: Origin
    created_at: datetime


@dataclass(frozen=True, repr=False)
class History:
    """A resource with all its revisions, the first at number 1."""

    kind: str
    state: ResourceState
    revisions: tuple[PastRevision, ...]

    @property
    def latest(self) -> PastRevision:
        """What it is now."""
        return self.revisions[-1]


def add_histories(  # noqa: PLR0913 - what is added, where, and on whose account
    session: TenantSession,
    author: str,
    plan: Plan,
    active_projects: set[str],
    added: Sequence[tuple[str, str, History]],
    made: Growth,
) -> None:
    """Add resources, each with its project's id and its own; ``author`` answers for every revision.

    ``made`` is what else the session's transaction wrote, such as projects, and is charged for with them.

    Raises Refused: ``not_found``, ``archived`` for one of ``active_projects`` that no longer is; as `leave_room` and
        `count_write`.
    """
    active: dict[str, int] = defaultdict(int)
    for project_id, _, history in added:
        active[project_id] += history.state == ResourceState.ACTIVE
    # In one order everywhere, or two could wait for each other.
    for project_id in sorted(active):
        project = locked_row(session, PROJECT, project_id)
        if project_id in active_projects:
            check_active(project)
        leave_room(session, project_id, plan, adding=active[project_id])
    count_write(session, plan, sum((growth_of(history) for _, _, history in added), start=made))
    resources, revisions = [], []
    for project_id, resource_id, history in added:
        resources.append(_resource_row(session, project_id, resource_id, history))
        revisions += [
            revision_row(session, resource_id, number, one.content, Authorship(author, one.origin), one.created_at)
            for number, one in enumerate(history.revisions, start=1)
        ]
    if resources:
        session.execute(insert(RESOURCE), resources)
        session.execute(insert(REVISION), revisions)


def growth_of(history: History) -> Growth:
    """What a resource with its history counts."""
    name = sealed_length(history.latest.content.name)
    revisions = sum(_length(past.content) for past in history.revisions)
    return Growth(ROW_BYTES + name + revisions, resources=1, writes=len(history.revisions))


def _length(content: CheckedContent) -> int:
    examples = sealed_length(EXAMPLES.dump_json(content.examples).decode()) if content.examples else 0
    return ROW_BYTES + sealed_length(content.text) + examples


def _resource_row(session: TenantSession, project_id: str, resource_id: str, history: History) -> dict[str, Any]:
    return {
        "id": resource_id,
        "project_id": project_id,
        "kind": history.kind,
        **named(session, project_id, resource_id, history.latest.content),
        "revision": len(history.revisions),
        "state": history.state,
        "created_at": history.revisions[0].created_at,
        "updated_at": history.latest.created_at,
    }


def texts_of_name(session: TenantSession, project_id: str, kind: str, name: str, state: str) -> list[str]:
    """What the resources of this name in a project are now, as JSON; at most one of them is active."""
    current = (REVISION.c.resource_id == RESOURCE.c.id) & (REVISION.c.number == RESOURCE.c.revision)
    wanted = (
        RESOURCE.c.project_id == project_id,
        RESOURCE.c.kind == kind,
        RESOURCE.c.name_key == name_key(session, name, RESOURCE.name, project_id, kind),
        RESOURCE.c.state == state,
    )
    columns = (REVISION.c.resource_id, REVISION.c.number, REVISION.c.content)
    rows = session.execute(select(*columns).join_from(RESOURCE, REVISION, current).where(*wanted))
    return [opened(session, row) for row in rows]


def count_active(session: TenantSession, project_id: str | None = None) -> int:
    """How many projects are in use or, of one project, how many resources."""
    of_project = RESOURCE.c.project_id == project_id, RESOURCE.c.state == ResourceState.ACTIVE
    wanted = (PROJECT.c.state == ResourceState.ACTIVE,) if project_id is None else of_project
    table = PROJECT if project_id is None else RESOURCE
    return int(session.execute(select(func.count()).select_from(table).where(*wanted)).scalar_one())
