"""Revisions: what a resource was from one change to the next. Written once, read often, never changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from sqlalchemy import func, insert, select

from pigi.clock import now
from pigi.domain.limits import RESOURCES as MOST
from pigi.domain.preconditions import tag_of
from pigi.domain.resources import ResourceState
from pigi.domain.resources.saving import as_text, with_todays_fields
from pigi.domain.resources.secrets import Example
from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.operations.access import reading
from pigi.operations.configuration.workspace import name_key
from pigi.operations.plans import Growth, check_resources, count_write, weight
from pigi.store.paging import read_stretch
from pigi.store.tenant import Resource, ResourceRevision

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.plans import Plan
    from pigi.domain.resources.saving import CheckedContent
    from pigi.store.sessions import TenantSession

EXAMPLES: Final = TypeAdapter(tuple[Example, ...])
RESOURCE: Any = Resource.__table__
REVISION: Any = ResourceRevision.__table__
HIGHEST = 2**31 - 1
"""A larger number fits no column."""


class Origin(StrEnum):
    """How a revision came to be; names are permanent."""

    WRITTEN = "written"
    GENERATED = "generated"
    GENERATED_EDITED = "generated_edited"
    """A draft that a person changed before accepting it."""


@dataclass(frozen=True)
class ResourceAddress:
    """Where a resource is, as a request names it."""

    project_id: str
    kind: str
    resource_id: str


@dataclass(frozen=True)
class Authorship:
    """Who answers for a revision; a generated one also names the instruction's version and the model."""

    author: str
    origin: Origin = Origin.WRITTEN
    instruction: str | None = None
    model: str | None = None


@dataclass(frozen=True, repr=False)
class RevisionView:
    """A revision as its organisation may see it; ``content`` is None in lists."""

    number: int
    author: str
    origin: str
    instruction: str | None
    model: str | None
    created_at: datetime
    examples: tuple[Example, ...] = field(default=())
    content: dict[str, Any] | None = None

    @property
    def tag(self) -> str:
        """Its entity tag."""
        return tag_of(self.number)


def add_resource(session: TenantSession, project_id: str, content: CheckedContent, by: Authorship, plan: Plan) -> str:
    """A new resource at revision 1, in a project that the session holds; its id.

    Raises Refused as `leave_room` and `count_write`.
    """
    leave_room(session, project_id, plan)
    resource_id, moment = new_id(), now()
    first = revision_row(session, resource_id, 1, content, by, moment)
    row = {
        "id": resource_id,
        "project_id": project_id,
        "kind": content.kind,
        **named(session, project_id, resource_id, content),
        "revision": 1,
        "state": ResourceState.ACTIVE,
        "created_at": moment,
        "updated_at": moment,
    }
    count_write(session, plan, Growth(weight(row) + weight(first), resources=1, writes=1))
    session.execute(insert(RESOURCE), row)
    session.execute(insert(REVISION), first)
    return resource_id


def add_revision(session: TenantSession, resource: Any, content: CheckedContent, by: Authorship, plan: Plan) -> None:
    """The next revision of a resource whose row the session holds; none if nothing changed. Raises as `count_write`."""
    kept = opened(session, _find(session, resource.id, resource.revision))
    if kept == content.text or as_text(with_todays_fields(content.kind, json.loads(kept))) == content.text:
        return
    number, moment = resource.revision + 1, now()
    values = {**named(session, resource.project_id, resource.id, content), "revision": number, "updated_at": moment}
    row = revision_row(session, resource.id, number, content, by, moment)
    count_write(session, plan, Growth(weight(row) + len(values["name"]) - len(resource.name), writes=1))
    session.execute(RESOURCE.update().where(RESOURCE.c.id == resource.id).values(**values))
    session.execute(insert(REVISION), row)


def leave_room(session: TenantSession, project_id: str, plan: Plan, adding: int = 1) -> None:
    """Raise Refused if so many more active resources do not fit.

    ``too_many_resources`` if the project, whose row the session holds, is full; ``plan_limit`` for the organisation.
    """
    active = RESOURCE.c.project_id == project_id, RESOURCE.c.state == ResourceState.ACTIVE
    if session.execute(select(func.count()).select_from(RESOURCE).where(*active)).scalar_one() + adding > MOST:
        raise Refused("too_many_resources", limit=MOST)
    check_resources(session, plan, adding=adding)


def opened(session: TenantSession, row: Any) -> str:
    """The JSON of a row that has the revision's columns ``resource_id``, ``number`` and ``content``."""
    return session.sealer.open(row.content, REVISION.name, "content", _place(row.resource_id, row.number))


def examples_of(session: TenantSession, row: Any) -> tuple[Example, ...]:
    """Which values in a revision somebody called examples; of a row with ``resource_id``, ``number``, ``examples``."""
    if row.examples is None:
        return ()
    text = session.sealer.open(row.examples, REVISION.name, "examples", _place(row.resource_id, row.number))
    return EXAMPLES.validate_json(text)


def list_revisions(  # noqa: PLR0913 - a stretch, each part named at the call
    application: Application,
    caller: Caller,
    place: ResourceAddress,
    *,
    limit: int = 50,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[RevisionView]:
    """A resource's revisions, newest first, without content; ``before`` and ``after`` are numbers.

    Raises Refused ``not_found``.
    """
    query = select(*(column for column in REVISION.c if column.name != "content"))
    query = query.where(REVISION.c.resource_id == place.resource_id)
    with reading(application, caller) as session:
        _check_resource(session, place)
        rows = read_stretch(session.execute, query, REVISION.c.number, limit=limit, before=before, after=after)
        return [_view(session, row) for row in rows]


def read_revision(application: Application, caller: Caller, place: ResourceAddress, number: int) -> RevisionView:
    """One revision with its content; raises Refused ``not_found``."""
    with reading(application, caller) as session:
        _check_resource(session, place)
        row = _find(session, place.resource_id, number)
        return _view(session, row, with_todays_fields(place.kind, json.loads(opened(session, row))))


def at(place: ResourceAddress) -> tuple[Any, ...]:
    """The conditions that a resource's row is at this place."""
    return (
        RESOURCE.c.id == place.resource_id,
        RESOURCE.c.project_id == place.project_id,
        RESOURCE.c.kind == place.kind,
    )


def _check_resource(session: TenantSession, place: ResourceAddress) -> None:
    if not is_id(place.resource_id) or session.execute(select(RESOURCE.c.id).where(*at(place))).first() is None:
        raise Refused("not_found")


def _find(session: TenantSession, resource_id: str, number: int) -> Any:
    if not 1 <= number <= HIGHEST:
        raise Refused("not_found")
    place = REVISION.c.resource_id == resource_id, REVISION.c.number == number
    row = session.execute(select(REVISION).where(*place)).first()
    if row is None:
        raise Refused("not_found")
    return row


def revision_row(  # noqa: PLR0913 - a row's columns
    session: TenantSession, resource_id: str, number: int, content: CheckedContent, by: Authorship, moment: datetime
) -> dict[str, Any]:
    """The row of a revision, sealed."""
    seal, place = session.sealer.seal, _place(resource_id, number)
    examples = EXAMPLES.dump_json(content.examples).decode()
    return {
        "resource_id": resource_id,
        "number": number,
        "content": seal(content.text, REVISION.name, "content", place),
        "examples": seal(examples, REVISION.name, "examples", place) if content.examples else None,
        "author": by.author,
        "origin": by.origin,
        "instruction": by.instruction,
        "model": by.model,
        "created_at": moment,
    }


def named(session: TenantSession, project_id: str, resource_id: str, content: CheckedContent) -> dict[str, Any]:
    """A resource's name, sealed, and what keeps it the only one of its name."""
    return {
        "name": session.sealer.seal(content.name, RESOURCE.name, "name", resource_id),
        "name_key": name_key(session, content.name, RESOURCE.name, project_id, content.kind),
    }


def _place(resource_id: str, number: int) -> str:
    return f"{resource_id}/{number}"


def _view(session: TenantSession, row: Any, content: dict[str, Any] | None = None) -> RevisionView:
    examples = examples_of(session, row)
    return RevisionView(
        row.number, row.author, row.origin, row.instruction, row.model, row.created_at, examples, content
    )
