"""Projects over HTTP: making, listing, reading, changing and archiving them."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pigi.domain.access import Action
from pigi.domain.names import WORDS
from pigi.operations.configuration import (
    archive_project,
    change_project,
    count_projects,
    create_project,
    list_projects,
    read_project,
    unarchive_project,
)
from pigi.operations.storage import delete_project
from web.http.replies import API, as_json, moment, no_content, reply, unless_known
from web.http.requests import LISTED, both_ways, expected, read_body, read_query
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel
from web.http.texts import VISIBLE_DESCRIPTION_PATTERN, Description, Name

if TYPE_CHECKING:
    from pigi.operations.configuration import ProjectView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

State = Literal["active", "archived"]
ProjectName = Annotated[
    Name,
    Field(description=f"The project's name: {WORDS} Space around it is dropped; no two active ones share one."),
]
ProjectDescription = Annotated[Description, Field(json_schema_extra={"pattern": VISIBLE_DESCRIPTION_PATTERN})]


class ProjectRequest(RequestModel):
    """Make a project."""

    name: ProjectName
    description: ProjectDescription = ""


class ProjectChange(RequestModel):
    """Change a project: what is left out, or null, stays."""

    name: ProjectName | None = None
    description: ProjectDescription | None = None


class ProjectLinks(ResponseModel):
    """Where to go from a project."""

    self: str
    archive: str
    unarchive: str
    agents: str
    mcp_servers: str
    documents: str
    settings: str


class Project(ResponseModel):
    """A project; ``created_by`` is the pseudonym of an account or an API key, or `former member`."""

    id: Id
    organisation_id: Id
    name: str
    description: str
    state: State
    revision: int = Field(ge=1)
    created_at: datetime
    updated_at: datetime
    created_by: str
    links: ProjectLinks


class ProjectList(ResponseModel):
    """Projects in the order asked for; ``counts`` says how many are in each state.

    ``next`` and ``previous`` are the paths of the following page and of the one before, null at the ends.
    """

    projects: list[Project]
    counts: dict[State, int]
    next: str | None
    previous: str | None


NONE = {"active": 0, "archived": 0}
ALL = f"{API}/organisations/<organisation>/projects"
ONE = f"{ALL}/<project>"
QUERY = LISTED


def show_projects(context: OrganisationContext) -> Reply:
    """An organisation's projects, newest first unless another order is asked for; archived ones only if asked for."""
    query = read_query(QUERY)
    state, sort = query.get("state", "active"), query.get("sort", "newest")
    read = partial(list_projects, context.application, context.caller, state=state, sort=sort)
    shown = both_ways(query, read, lambda project: project.id)
    counts = {**NONE, **count_projects(context.application, context.caller)}
    projects = [_project(context, project) for project in shown.items]
    return reply(as_json({"projects": projects, "counts": counts, "next": shown.next, "previous": shown.previous}))


def make_project(context: OrganisationContext) -> Reply:
    """Make an empty project."""
    body = read_body(ProjectRequest)
    return _made(context, create_project(context.application, context.caller, body.name, body.description))


def show_project(context: OrganisationContext, project: str) -> Reply:
    """A project, archived or not."""
    view = read_project(context.application, context.caller, project)
    return unless_known(view.tag, lambda: as_json(_project(context, view)))


def alter_project(context: OrganisationContext, project: str) -> Reply:
    """Change a project's name or description; what is left out stays."""
    body, tags = read_body(ProjectChange), expected()
    view = change_project(
        context.application, context.caller, project, tags, name=body.name, description=body.description
    )
    return _shown(context, view)


def put_project_away(context: OrganisationContext, project: str) -> Reply:
    """Archive a project: it leaves the lists, nothing in it can be changed, and its name becomes free."""
    read_body(Nothing)
    return _shown(context, archive_project(context.application, context.caller, project))


def drop_project(context: OrganisationContext, project: str) -> Reply:
    """Delete an archived project for good, with its resources and their revisions."""
    delete_project(context.application, context.caller, project)
    return no_content()


def bring_project_back(context: OrganisationContext, project: str) -> Reply:
    """Unarchive a project; repeating it is harmless."""
    read_body(Nothing)
    return _shown(context, unarchive_project(context.application, context.caller, project))


def _made_before(context: OrganisationContext, location: str) -> Reply:
    return _made(context, read_project(context.application, context.caller, location.rpartition("/")[2]))


def _done_before(context: OrganisationContext, _location: str, project: str) -> Reply:
    """The project as it is by the time of the repeat."""
    return _shown(context, read_project(context.application, context.caller, project))


def _made(context: OrganisationContext, view: ProjectView) -> Reply:
    answer = _shown(context, view)
    answer.status_code = 201
    answer.headers["Location"] = project_path(_own(context), view.id)
    return answer


def _shown(context: OrganisationContext, view: ProjectView) -> Reply:
    return reply(as_json(_project(context, view)), ETag=view.tag)


def _own(context: OrganisationContext) -> str:
    return context.caller.organisation_id


def project_path(organisation_id: str, project_id: str) -> str:
    """Where a project is read."""
    return f"{API}/organisations/{organisation_id}/projects/{project_id}"


def _project(context: OrganisationContext, view: ProjectView) -> dict[str, Any]:
    own = project_path(_own(context), view.id)
    return {
        "id": view.id,
        "organisation_id": _own(context),
        "name": view.name,
        "description": view.description,
        "state": view.state,
        "revision": view.revision,
        "created_at": moment(view.created_at),
        "updated_at": moment(view.updated_at),
        "created_by": view.created_by,
        "links": {
            "self": own,
            "archive": f"{own}/archive",
            "unarchive": f"{own}/unarchive",
            "agents": f"{own}/agents",
            "mcp_servers": f"{own}/mcp-servers",
            "documents": f"{own}/documents",
            "settings": f"{own}/settings",
        },
    }


READ, WRITE = Action.CONFIGURATION_READ, Action.CONFIGURATION_WRITE
_DONE = ResponseSpec(200, "The project as it is now", Project, headers=("ETag", "Idempotency-Replayed"))
_MADE = ResponseSpec(201, "The project", Project, headers=("Location", "ETag", "Idempotency-Replayed"))
_KNOWN = ResponseSpec(304, "The client knows it already", media_types=(), headers=("ETag",))
_ONE = ResponseSpec(200, "The project", Project, headers=("ETag",))
_PAGE = ResponseSpec(200, "A page of projects", ProjectList)
_WORDS = ("secret_found", "name_taken")
_EXPECTED = ("archived", "precondition_required", "precondition_failed")

ROUTES = (
    Route(
        "GET", ALL, show_projects, READ, RouteKind.READ, "List projects", (_PAGE,), problems=("invalid",), query=QUERY
    ),
    Route(
        "POST",
        ALL,
        make_project,
        WRITE,
        RouteKind.WRITE,
        "Make a project",
        (_MADE,),
        problems=(*_WORDS, "too_many_projects", "too_many_kept", "plan_limit"),
        body=ProjectRequest,
        replay=_made_before,
    ),
    Route("GET", ONE, show_project, READ, RouteKind.READ, "Read a project", (_ONE, _KNOWN), accepts=("If-None-Match",)),
    Route(
        "PATCH",
        ONE,
        alter_project,
        WRITE,
        RouteKind.WRITE,
        "Change a project",
        (_DONE,),
        problems=(*_WORDS, *_EXPECTED, "plan_limit"),
        body=ProjectChange,
        replay=_done_before,
        accepts=("If-Match",),
    ),
    Route(
        "DELETE",
        ONE,
        drop_project,
        Action.CONFIGURATION_DELETE,
        RouteKind.WRITE,
        "Delete an archived project for good",
        (ResponseSpec(204, "It is gone, with all that was in it", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("not_archived", "configuration_held"),
        confirmed=True,
    ),
    Route(
        "POST",
        f"{ONE}/archive",
        put_project_away,
        WRITE,
        RouteKind.WRITE,
        "Archive a project",
        (_DONE,),
        body=Nothing,
        replay=_done_before,
    ),
    Route(
        "POST",
        f"{ONE}/unarchive",
        bring_project_back,
        WRITE,
        RouteKind.WRITE,
        "Unarchive a project",
        (_DONE,),
        problems=("name_taken", "too_many_projects", "plan_limit"),
        body=Nothing,
        replay=_done_before,
    ),
)
