"""Pages of resources and their revisions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from flask import request

from pigi.domain.access import Action
from pigi.domain.resources import RESOURCES, with_defaults
from pigi.operations.configuration import ResourceAddress, list_revisions, read_project, read_resource, read_revision
from web.pages.projects import ONE as PROJECT
from web.pages.projects import resource_kind_of
from web.pages.shell.filling import filling_of
from web.pages.shell.layout import draw, page
from web.pages.shell.names import names_in
from web.pages.shell.query import number_of, paged

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

ALL = f"{PROJECT}/<collection>"
ONE = f"{ALL}/<resource>"
_TRANSPORT = {"type": "stdio", "command": "", "args": [], "environment": [], "cwd": "", "env_file": ""}


def _blank(kind: str) -> dict[str, Any]:
    model = RESOURCES[kind].model
    required = [name for name, field in model.model_fields.items() if field.is_required()]
    given: dict[str, Any] = {name: _TRANSPORT if name == "transport" else "" for name in required}
    made = model.model_construct(**given)
    return made.model_dump(mode="json", warnings=False)


BLANK: dict[str, dict[str, Any]] = {kind: _blank(kind) for kind in RESOURCES}
"""What a form for a new resource starts with."""


def new_resource_page(context: OrganisationContext, project: str, collection: str) -> Reply:
    """Write a resource."""
    kind = resource_kind_of(collection)
    return draw(
        context,
        "resources/edit.html",
        here="projects",
        project=read_project(context.application, context.caller, project),
        kind=kind,
        resource=None,
        content=BLANK[kind.wire],
        filling=filling_of(context),
        raw=_raw(),
    )


def resource_page(context: OrganisationContext, project: str, collection: str, resource: str) -> Reply:
    """A resource as it is."""
    return draw(
        context, "resources/resource.html", revision=None, names=None, **_read(context, project, collection, resource)
    )


def edit_resource_page(context: OrganisationContext, project: str, collection: str, resource: str) -> Reply:
    """Change a resource."""
    values = _read(context, project, collection, resource)
    return draw(context, "resources/edit.html", filling=filling_of(context), **values)


def revisions_page(context: OrganisationContext, project: str, collection: str, resource: str) -> Reply:
    """What a resource was, newest first."""
    values = _read(context, project, collection, resource)
    place = ResourceAddress(project, values["kind"].wire, resource)
    pages = paged(partial(list_revisions, context.application, context.caller, place), "number", number_of)
    names = names_in(context)
    return draw(context, "resources/revisions.html", revisions=pages.items, pages=pages, names=names, **values)


def revision_page(context: OrganisationContext, project: str, collection: str, resource: str, number: int) -> Reply:
    """What a resource was at one revision."""
    values = _read(context, project, collection, resource)
    revision = read_revision(
        context.application, context.caller, ResourceAddress(project, values["kind"].wire, resource), number
    )
    values["content"] = with_defaults(values["kind"].wire, revision.content or {})
    return draw(context, "resources/resource.html", revision=revision, names=names_in(context), **values)


def _read(context: OrganisationContext, project: str, collection: str, resource: str) -> dict[str, Any]:
    kind = resource_kind_of(collection)
    view = read_resource(context.application, context.caller, ResourceAddress(project, kind.wire, resource))
    return {
        "here": "projects",
        "project": read_project(context.application, context.caller, project),
        "kind": kind,
        "resource": view,
        "content": with_defaults(kind.wire, view.content or {}),
        "raw": _raw(),
    }


def _raw() -> bool:
    return request.args.get("as") == "json"


READ, WRITE = Action.CONFIGURATION_READ, Action.CONFIGURATION_WRITE
ROUTES = (
    page(f"{ALL}/new", new_resource_page, WRITE),
    page(ONE, resource_page, READ),
    page(f"{ONE}/edit", edit_resource_page, WRITE),
    page(f"{ONE}/revisions", revisions_page, READ),
    page(f"{ONE}/revisions/<int:number>", revision_page, READ),
)
