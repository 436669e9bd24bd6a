"""Resources of a project: agents, MCP servers, documents and settings.

Every change is held to the revision that its asker knows, and is a revision of its own. Changes in one
project follow one another: each holds the project's row first, so that none lands in an archived project.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pigi.domain.preconditions import tag_of
from pigi.domain.resources import ResourceState
from pigi.domain.resources.lint import NO_CHOICES
from pigi.domain.resources.saving import check_content, warnings_of, with_todays_fields
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.access import changing, choices_of, reading
from pigi.operations.configuration.examples import signer
from pigi.operations.configuration.listing import Sort, listed_rows
from pigi.operations.configuration.projects import PROJECT
from pigi.operations.configuration.revisions import (
    RESOURCE,
    REVISION,
    Authorship,
    ResourceAddress,
    add_resource,
    add_revision,
    at,
    examples_of,
    leave_room,
    opened,
)
from pigi.operations.configuration.workspace import check_active, check_expected, locked_row, note_move
from pigi.operations.plans import Growth, count_write, plan_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.preconditions import Tags
    from pigi.domain.resources import Finding
    from pigi.domain.resources.lint import Choices
    from pigi.domain.resources.saving import CheckedContent
    from pigi.store.sessions import TenantSession

    Examples = Collection[str]


@dataclass(frozen=True, repr=False)
class ResourceView:
    """A resource as its organisation may see it; ``content`` and ``findings`` are left out of lists."""

    id: str
    project_id: str
    kind: str
    name: str
    revision: int
    state: str
    created_at: datetime
    updated_at: datetime
    content: dict[str, Any] | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def tag(self) -> str:
        """Its entity tag."""
        return tag_of(self.revision, self.state)


def create_resource(  # noqa: PLR0913 - what a request says
    application: Application, caller: Caller, project_id: str, kind: str, content: object, examples: Examples = ()
) -> ResourceView:  # fmt: skip
    """A new resource; its name is in its content. ``examples`` names values that the caller calls examples.

    Raises Refused: ``not_found`` for the project, ``archived``, ``invalid``, ``secret_found``, ``name_taken``,
        ``too_many_resources``, ``too_many_kept``, ``plan_limit``.
    """
    choices = choices_of(application.control, caller.organisation_id)
    checked = check_content(kind, content, examples, choices, signer(application, caller.organisation_id))
    plan = plan_of(application, caller.organisation_id)
    with changing(application, caller) as session:
        check_active(locked_row(session, PROJECT, project_id))
        resource_id = add_resource(session, project_id, checked, Authorship(caller.name), plan)
        return find_resource(session, ResourceAddress(project_id, kind, resource_id), choices)


def replace_resource(  # noqa: PLR0913 - what a request says
    application: Application,
    caller: Caller,
    place: ResourceAddress,
    expected: Tags | None,
    content: object,
    examples: Examples = (),
) -> ResourceView:
    """Put ``content`` in place of all that the resource was; what was called an example before still is one.

    Raises Refused: ``not_found``, ``archived``, ``precondition_required``, ``precondition_failed``, ``invalid``,
        ``secret_found``, ``name_taken``, ``plan_limit``.
    """
    choices = choices_of(application.control, caller.organisation_id)
    plan = plan_of(application, caller.organisation_id)
    checked = _checked(application, caller, place, content, examples, choices)
    with changing(application, caller) as session:
        resource = hold_resource(session, place)
        check_expected(resource, expected)
        add_revision(session, resource, checked, Authorship(caller.name), plan)
        return find_resource(session, place, choices)


def _checked(  # noqa: PLR0913 - what a request says
    application: Application,
    caller: Caller,
    place: ResourceAddress,
    content: object,
    examples: Examples,
    choices: Choices,
) -> CheckedContent:
    """What may be saved. What was called an example is looked up only if something looks like a secret."""
    sign = signer(application, caller.organisation_id)
    try:
        return check_content(place.kind, content, examples, choices, sign)
    except Refused as refusal:
        if refusal.code != "secret_found":
            raise
    with reading(application, caller) as session:
        row = _with_content(session, place)
        known = {one.example for one in examples_of(session, row)} if row else set()
    return check_content(place.kind, content, known.union(examples), choices, sign)


def read_resource(application: Application, caller: Caller, place: ResourceAddress) -> ResourceView:
    """The resource with its content, archived or not; raises Refused ``not_found``."""
    choices = choices_of(application.control, caller.organisation_id)
    with reading(application, caller) as session:
        return find_resource(session, place, choices)


def list_resources(  # noqa: PLR0913 - filters, each named at the call
    application: Application,
    caller: Caller,
    project_id: str,
    kind: str,
    *,
    state: str = ResourceState.ACTIVE,
    sort: str = Sort.NEWEST,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[ResourceView]:
    """A project's resources of a kind, without content, in an order of `Sort`.

    ``before`` and ``after`` are ids (`listed_rows`). Raises Refused ``not_found`` for the project.
    """
    which = [RESOURCE.c.project_id == project_id, RESOURCE.c.kind == kind, RESOURCE.c.state == state]
    with reading(application, caller) as session:
        _check_project(session, project_id)
        rows = listed_rows(session, RESOURCE, which, sort, limit=limit, before=before, after=after)
        return [_view(session, row) for row in rows]


def count_resources(
    application: Application, caller: Caller, project_ids: Sequence[str]
) -> dict[str, dict[tuple[str, str], int]]:
    """By project: how many resources are of each kind and state, where there are any."""
    found: dict[str, dict[tuple[str, str], int]] = {project_id: {} for project_id in project_ids}
    columns = RESOURCE.c["project_id", "kind", "state"]
    query = select(*columns, func.count().label("many")).where(RESOURCE.c.project_id.in_(project_ids))
    with reading(application, caller) as session:
        for row in session.execute(query.group_by(*columns)):
            found[row.project_id][row.kind, row.state] = row.many
    return found


def list_of_kind(application: Application, caller: Caller, kind: str, most: int) -> list[ResourceView]:
    """Resources of a kind in all projects in use, those changed last first, without content."""
    active = RESOURCE.c.state == ResourceState.ACTIVE, PROJECT.c.state == ResourceState.ACTIVE
    query = (
        select(RESOURCE).join(PROJECT, PROJECT.c.id == RESOURCE.c.project_id).where(RESOURCE.c.kind == kind, *active)
    )
    with reading(application, caller) as session:
        rows = session.execute(query.order_by(RESOURCE.c.updated_at.desc(), RESOURCE.c.id.desc()).limit(most))
        return [_view(session, row) for row in rows]


def archive_resource(application: Application, caller: Caller, place: ResourceAddress) -> ResourceView:
    """Put it out of use; its revisions stay and its name becomes free. Safe to repeat.

    Raises Refused: ``not_found``, ``archived`` for its project.
    """
    return _move(application, caller, place, ResourceState.ARCHIVED)


def unarchive_resource(application: Application, caller: Caller, place: ResourceAddress) -> ResourceView:
    """Bring it back. Safe to repeat.

    Raises Refused: ``not_found``, ``archived`` for its project, ``name_taken``, ``too_many_resources``,
        ``plan_limit``.
    """
    return _move(application, caller, place, ResourceState.ACTIVE)


def _move(application: Application, caller: Caller, place: ResourceAddress, state: ResourceState) -> ResourceView:
    plan = plan_of(application, caller.organisation_id)
    choices = choices_of(application.control, caller.organisation_id)
    with changing(application, caller) as session:
        check_active(locked_row(session, PROJECT, place.project_id))
        row = _locked(session, place)
        moves, back = row.state != state, state == ResourceState.ACTIVE
        if moves and back:
            leave_room(session, place.project_id, plan)
        if moves:
            count_write(session, plan if back else None, Growth(writes=1))
        session.execute(RESOURCE.update().where(RESOURCE.c.id == row.id).values(state=state))
        view = find_resource(session, place, choices)
    if moves:
        note_move(application, caller, f"resource:{row.id}", state, project=place.project_id)
    return view


def hold_resource(session: TenantSession, place: ResourceAddress) -> Any:
    """The row of a resource that may be changed, and its project's, held; raises Refused ``not_found``, ``archived``.

    The project comes first in every change, or two could wait for each other.
    """
    project = locked_row(session, PROJECT, place.project_id)
    resource = _locked(session, place)
    check_active(project, resource)
    return resource


def find_resource(session: TenantSession, place: ResourceAddress, choices: Choices) -> ResourceView:
    """The resource with its content and what it breaks, by the organisation's ``choices``.

    Raises Refused ``not_found``.
    """
    row = _with_content(session, place)
    if row is None:
        raise Refused("not_found")
    return _view(session, row, with_todays_fields(row.kind, json.loads(opened(session, row))), choices)


def _with_content(session: TenantSession, place: ResourceAddress) -> Any:
    current = (REVISION.c.resource_id == RESOURCE.c.id) & (REVISION.c.number == RESOURCE.c.revision)
    columns = (*RESOURCE.c, REVISION.c.resource_id, REVISION.c.number, REVISION.c.content, REVISION.c.examples)
    query = select(*columns).join_from(RESOURCE, REVISION, current).where(*at(place))
    return session.execute(query).first() if is_id(place.resource_id) else None


def _locked(session: TenantSession, place: ResourceAddress) -> Any:
    return locked_row(session, RESOURCE, place.resource_id, *at(place))


def _check_project(session: TenantSession, project_id: str) -> None:
    if not is_id(project_id) or session.execute(select(PROJECT.c.id).where(PROJECT.c.id == project_id)).first() is None:
        raise Refused("not_found")


def _view(
    session: TenantSession, row: Any, content: dict[str, Any] | None = None, choices: Choices = NO_CHOICES
) -> ResourceView:
    examples = () if content is None else [one.example for one in examples_of(session, row)]
    return ResourceView(
        row.id,
        row.project_id,
        row.kind,
        session.sealer.open(row.name, RESOURCE.name, "name", row.id),
        row.revision,
        row.state,
        row.created_at,
        row.updated_at,
        content,
        () if content is None else warnings_of(row.kind, content, examples, choices),
    )
