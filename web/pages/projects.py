"""Pages of projects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.errors import Refused
from pigi.operations.configuration import (
    Sort,
    count_projects,
    count_resources,
    list_projects,
    list_resources,
    read_project,
)
from web.pages.shell.filling import filling_of
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import one_of, paged
from web.pages.shell.words import COLLECTIONS, KINDS

if TYPE_CHECKING:
    from typing import Any

    from web.http.context import OrganisationContext
    from web.http.replies import Reply
    from web.pages.shell.words import KindWords

ALL = f"{OWN}/projects"
ONE = f"{ALL}/<project>"
STATES = ("active", "archived")


def projects_page(context: OrganisationContext) -> Reply:
    """Projects, newest first unless another order is asked for."""
    state, sort = one_of("state", STATES, "active"), one_of("sort", list(Sort), Sort.NEWEST)
    pages = paged(partial(list_projects, context.application, context.caller, state=state, sort=sort), "id")
    return draw(
        context,
        "projects/list.html",
        here="projects",
        projects=pages.items,
        pages=pages,
        state=state,
        sort=sort,
        counts=count_projects(context.application, context.caller),
        held=count_resources(context.application, context.caller, [project.id for project in pages.items]),
        kinds=KINDS.values(),
    )


def new_project_page(context: OrganisationContext) -> Reply:
    """Make a project."""
    return draw(context, "projects/edit.html", here="projects", project=None, filling=filling_of(context))


def edit_project_page(context: OrganisationContext, project: str) -> Reply:
    """Change a project's words."""
    view = read_project(context.application, context.caller, project)
    return draw(context, "projects/edit.html", here="projects", project=view, filling=filling_of(context))


def project_page(context: OrganisationContext, project: str) -> Reply:
    """A project, at its agents."""
    return collection_page(context, project, "agents")


def collection_page(context: OrganisationContext, project: str, collection: str) -> Reply:
    """A project's resources of one kind."""
    kind, state = resource_kind_of(collection), one_of("state", STATES, "active")
    sort = one_of("sort", list(Sort), Sort.NEWEST)
    view = read_project(context.application, context.caller, project)
    listed = partial(list_resources, context.application, context.caller, project, kind.wire, state=state, sort=sort)
    pages = paged(listed, "id")
    counts = count_resources(context.application, context.caller, [view.id])[view.id]
    return draw(
        context,
        "projects/project.html",
        here="projects",
        project=view,
        kind=kind,
        kind_tabs=_tabs(context, project, kind, {wire: counts.get((wire, state), 0) for wire in KINDS}),
        resources=pages.items,
        pages=pages,
        sort=sort,
        archived=state == "archived",
        archived_count=counts.get((kind.wire, "archived"), 0),
    )


def resource_kind_of(collection: str) -> KindWords:
    """The kind whose collection this is; raises Refused ``not_found``."""
    if collection not in COLLECTIONS:
        raise Refused("not_found")
    return COLLECTIONS[collection]


def _tabs(context: OrganisationContext, project: str, here: KindWords, counts: dict[str, int]) -> list[dict[str, Any]]:
    home = f"/o/{context.caller.organisation_id}/projects/{project}"
    return [
        {
            "title": kind.title,
            "path": f"{home}/{kind.collection}",
            "here": kind is here,
            "count": counts[kind.wire] or None,
        }
        for kind in KINDS.values()
    ]


READ, WRITE = Action.CONFIGURATION_READ, Action.CONFIGURATION_WRITE
ROUTES = (
    page(ALL, projects_page, READ),
    page(f"{ALL}/new", new_project_page, WRITE),
    page(ONE, project_page, READ),
    page(f"{ONE}/edit", edit_project_page, WRITE),
    page(f"{ONE}/<collection>", collection_page, READ),
)
