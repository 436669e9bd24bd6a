"""Searching projects and resources by their names.

Names are sealed, so no index of the database helps, and an index of hashes would tell of names what sealing hides.
So each search opens the names, the newest first and not more than `LOOKED_AT`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.domain.resources import ResourceState
from pigi.domain.searching import folded_words, rank
from pigi.operations.access import reading
from pigi.operations.configuration.projects import PROJECT
from pigi.operations.configuration.revisions import RESOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.store.sessions import TenantSession

LOOKED_AT = 20_000
"""Resources, and projects, whose names one search opens at most: as many as the largest plan has in use."""


@dataclass(frozen=True, repr=False)
class FoundView:
    """A project or a resource that was found; ``kind`` is ``project`` or the resource's."""

    kind: str
    id: str
    name: str
    state: str
    updated_at: datetime
    project_id: str
    project_name: str
    project_state: str

    @property
    def in_use(self) -> bool:
        """Whether neither it nor its project is archived."""
        return self.state == self.project_state == ResourceState.ACTIVE


@dataclass(frozen=True, repr=False)
class SearchView:
    """What was found, the best first. ``more`` says that there is, or may be, more than is shown."""

    found: tuple[FoundView, ...]
    more: bool


def search_names(application: Application, caller: Caller, text: str, limit: int = 20) -> SearchView:
    """At most ``limit`` projects and resources of the organisation whose names fit what was typed.

    In use come before archived, better fits before worse (`pigi.domain.searching`), changed last before others.
    """
    wanted, looked_at = folded_words(text), 0
    fits: list[tuple[bool, int, float, FoundView]] = []
    with reading(application, caller) as session:
        for kind, row, name, project in _everything(session) if wanted else ():
            looked_at += 1
            fit = rank(wanted, name)
            if fit is not None:
                view = FoundView(kind, row.id, name, row.state, row.updated_at, *project)
                fits.append((not view.in_use, fit, -view.updated_at.timestamp(), view))
    fits.sort(key=lambda found: (*found[:3], found[3].id))
    return SearchView(tuple(found[3] for found in fits[:limit]), more=len(fits) > limit or looked_at >= LOOKED_AT)


def _everything(session: TenantSession) -> Iterator[tuple[str, Any, str, tuple[str, str, str]]]:
    """Kind, row and name of each project and resource, with the id, name and state of its project."""
    projects: dict[str, tuple[str, str, str]] = {}
    for row in _newest(session, PROJECT, "id", "name", "state", "updated_at"):
        own = projects[row.id] = (row.id, _name(session, PROJECT, row), row.state)
        yield "project", row, own[1], own
    for row in _newest(session, RESOURCE, "id", "name", "state", "updated_at", "kind", "project_id"):
        if row.project_id in projects:
            yield row.kind, row, _name(session, RESOURCE, row), projects[row.project_id]


def _newest(session: TenantSession, table: Any, *columns: str) -> Any:
    return session.execute(select(*table.c[columns]).order_by(table.c.id.desc()).limit(LOOKED_AT))


def _name(session: TenantSession, table: Any, row: Any) -> str:
    return session.sealer.open(row.name, table.name, "name", row.id)
