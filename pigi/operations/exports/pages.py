"""Reading an organisation's configuration from its beginning to its end in small pages, from any place on.

Each page is a statement or two by a key, in a session of its own: nothing is held while the file is written elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import String, func, select, tuple_, type_coerce

from pigi.domain.access import Caller
from pigi.operations.access import reading
from pigi.operations.configuration import examples_of
from pigi.store.instants import to_text
from pigi.store.tenant import Project, Resource, ResourceRevision

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from pigi.application import Application
    from pigi.operations.exports.place import Place
    from pigi.store.sessions import TenantSession

PROJECT: Any = Project.__table__
RESOURCE: Any = Resource.__table__
REVISION: Any = ResourceRevision.__table__
PAGE = 500
"""Projects or resources a page: names, and nothing large."""
PAGE_BYTES = 1024 * 1024
"""About how much of sealed content is read at a time."""
FEWEST, MOST = 8, 256
"""Revisions a page."""


class ProjectRow(NamedTuple):
    """A project, with its names opened."""

    id: str
    name: str
    description: str
    state: str
    created_at: str


class ResourceRow(NamedTuple):
    """A resource, with its name opened; ``revision`` is how many it has by now."""

    id: str
    kind: str
    name: str
    state: str
    revision: int


class RevisionRow(NamedTuple):
    """A revision; ``content`` is JSON as it was stored, in UTF-8."""

    number: int
    content: bytes
    author: str
    origin: str
    created_at: str
    examples: tuple[str, ...] = ()


def _text(column: Any) -> Any:
    """A moment as the database gives it: half of all text needs no datetime, which costs more than the seal."""
    return type_coerce(column, String)


def _moment(value: Any) -> str:
    return value if isinstance(value, str) else to_text(value)


_REVISIONS = select(
    REVISION.c.resource_id,
    REVISION.c.number,
    REVISION.c.content,
    REVISION.c.author,
    REVISION.c.origin,
    _text(REVISION.c.created_at),
    REVISION.c.examples,
).order_by(REVISION.c.resource_id, REVISION.c.number)


class Pages:
    """The pages of one organisation's configuration, as it was at ``place.at``, from ``place`` on."""

    def __init__(self, application: Application, organisation_id: str, place: Place) -> None:
        self._application, self._organisation_id = application, organisation_id
        self._at = place.at
        # Where to begin; the place itself moves.
        self._project, self._kind, self._resource, self._number = (
            place.project,
            place.kind,
            place.resource,
            place.number,
        )
        self._rows = FEWEST

    def count(self) -> int:
        """How many revisions there are: for progress alone."""
        with self._session() as session:
            return int(session.execute(select(func.count()).select_from(REVISION)).scalar_one())

    def projects(self) -> Iterator[ProjectRow]:
        """Every project, archived ones too, the oldest first; from the one that stands open."""
        after = PROJECT.c.id >= self._project
        while True:
            query = select(PROJECT).where(after, PROJECT.c.created_at <= self._at).order_by(PROJECT.c.id).limit(PAGE)
            with self._session() as session:
                unseal = session.sealer.open
                found = [
                    ProjectRow(
                        row.id,
                        unseal(row.name, PROJECT.name, "name", row.id),
                        unseal(row.description, PROJECT.name, "description", row.id),
                        row.state,
                        to_text(row.created_at),
                    )
                    for row in session.execute(query)
                ]
            yield from found
            if len(found) < PAGE:
                return
            after = PROJECT.c.id > found[-1].id

    def revisions(self, project_id: str) -> Iterator[tuple[Sequence[ResourceRow], dict[str, list[RevisionRow]]]]:
        """The project's resources with their revisions, a page at a time; one with many comes several times."""
        waiting: list[ResourceRow] = []
        for resource in self._resources(project_id):
            if waiting and sum(one.revision for one in waiting) + resource.revision > self._rows:
                yield waiting, self._page(waiting)
                waiting = []
            if resource.revision > self._rows or resource.id == self._resource:
                yield from self._one(resource)
            else:
                waiting.append(resource)
        if waiting:
            yield waiting, self._page(waiting)

    def _resources(self, project_id: str) -> Iterator[ResourceRow]:
        """In the order of an index, and so without sorting; from the resource that stands open."""
        of_project = RESOURCE.c.project_id == project_id, RESOURCE.c.created_at <= self._at
        key = tuple_(RESOURCE.c.kind, RESOURCE.c.id)
        resumed = project_id == self._project and self._resource
        after = key >= (self._kind, self._resource) if resumed else key > ("", "")
        while True:
            query = select(RESOURCE).where(*of_project, after).order_by(RESOURCE.c.kind, RESOURCE.c.id).limit(PAGE)
            with self._session() as session:
                unseal = session.sealer.open
                found = [
                    ResourceRow(
                        row.id, row.kind, unseal(row.name, RESOURCE.name, "name", row.id), row.state, row.revision
                    )
                    for row in session.execute(query)
                ]
            yield from found
            if len(found) < PAGE:
                return
            after = key > (found[-1].kind, found[-1].id)

    def _one(self, resource: ResourceRow) -> Iterator[tuple[Sequence[ResourceRow], dict[str, list[RevisionRow]]]]:
        after = self._number if resource.id == self._resource else 0
        while True:
            rows = self._rows
            page = self._page([resource], after, rows)
            found = page.get(resource.id, [])
            if found:
                yield [resource], page
            if len(found) < rows:
                return
            after = found[-1].number

    def _page(
        self, resources: Sequence[ResourceRow], after: int = 0, limit: int | None = None
    ) -> dict[str, list[RevisionRow]]:
        """These resources' revisions, at most ``limit``, beginning after number ``after``; sizes the next page."""
        query = _REVISIONS.where(
            REVISION.c.resource_id.in_([resource.id for resource in resources]),
            REVISION.c.number > after,
            REVISION.c.created_at <= self._at,
        ).limit(limit)
        with self._session() as session:
            rows: Sequence[Any] = session.connection().execute(query).all()
            unseal = session.sealer.open_bytes
        found: dict[str, list[RevisionRow]] = defaultdict(list)
        for row in rows:
            resource_id, number, content, author, origin, created_at, examples = row
            text = unseal(content, REVISION.name, "content", f"{resource_id}/{number}")
            told = () if examples is None else tuple(one.example for one in examples_of(session, row))
            found[resource_id].append(RevisionRow(number, text, author, origin, _moment(created_at), told))
        size = sum(len(row[2]) for row in rows)
        self._rows = max(FEWEST, min(MOST, PAGE_BYTES * len(rows) // size)) if rows else self._rows
        return found

    def _session(self) -> AbstractContextManager[TenantSession]:
        return reading(self._application, Caller(self._organisation_id))
