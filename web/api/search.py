"""Search over HTTP: projects and resources of an organisation, by name."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pigi.domain.access import Action
from pigi.domain.searching import QUERY_LENGTH
from pigi.errors import Refused
from pigi.operations.configuration import search_names
from web.api.projects import State, project_path
from web.api.resources.routes import SEGMENTS
from web.http.replies import API, as_json, moment, reply
from web.http.requests import read_query
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Id, ResponseModel

if TYPE_CHECKING:
    from pigi.operations.configuration import FoundView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

SHOWN, MOST = 20, 50


class FoundLinks(ResponseModel):
    """Where to go from what was found: the API's path, its page, and its project."""

    self: str
    page: str
    project: str


class FoundProject(ResponseModel):
    """The project that it is in, or that it is."""

    id: Id
    name: str
    state: State


class Found(ResponseModel):
    """A project or a resource, without its content."""

    kind: Literal["project", "agent", "mcp-server", "document", "settings"]
    id: Id
    name: str
    state: State
    updated_at: datetime
    project: FoundProject
    links: FoundLinks


class SearchResult(ResponseModel):
    """What was found, the best first; ``more`` says that there is, or may be, more than is shown."""

    found: list[Found]
    more: bool


QUERY: dict[str, dict[str, Any]] = {
    "q": {
        "description": f"parts of a name, 1 to {QUERY_LENGTH} characters; required",
        "schema": {"type": "string", "minLength": 1, "maxLength": QUERY_LENGTH},
        "required": True,
    },
    "limit": {
        "description": f"a whole number from 1 to {MOST}; {SHOWN} if left out",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST, "default": SHOWN},
    },
}


def search(context: OrganisationContext) -> Reply:
    """Find projects and resources by their names, archived ones last. Contents are not searched.

    Neither case, accents nor the marks between words matter: `coderev` finds `Code-Reviewer`. Each word that is looked
    for must be somewhere in the name; names that begin with it come first.
    """
    query = read_query(QUERY)
    if not query.get("q"):
        raise Refused("invalid", errors=[{"parameter": "q", "message": f"must be {QUERY['q']['description']}"}])
    result = search_names(context.application, context.caller, query["q"], int(query.get("limit", SHOWN)))
    where = context.caller.organisation_id
    return reply(as_json({"found": [_found(where, view) for view in result.found], "more": result.more}))


def _found(organisation_id: str, view: FoundView) -> dict[str, Any]:
    project = project_path(organisation_id, view.project_id)
    own = "" if view.kind == "project" else f"/{SEGMENTS[view.kind]}/{view.id}"
    return {
        "kind": view.kind,
        "id": view.id,
        "name": view.name,
        "state": view.state,
        "updated_at": moment(view.updated_at),
        "project": {"id": view.project_id, "name": view.project_name, "state": view.project_state},
        "links": {
            "self": f"{project}{own}",
            "page": f"/o/{organisation_id}/projects/{view.project_id}{own}",
            "project": project,
        },
    }


ROUTES = (
    Route(
        "GET",
        f"{API}/organisations/<organisation>/search",
        search,
        Action.CONFIGURATION_READ,
        RouteKind.READ,
        "Search projects and resources by name",
        (ResponseSpec(200, "What was found", SearchResult),),
        problems=("invalid",),
        query=QUERY,
    ),
)
