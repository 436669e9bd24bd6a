"""Resources over HTTP. The four collections differ in their models alone, so each view serves all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action
from pigi.domain.limits import CONTENT_BYTES
from pigi.domain.resources import Agent, Document, McpServer, Settings
from pigi.operations.configuration import (
    ResourceAddress,
    archive_resource,
    count_resources,
    create_resource,
    list_resources,
    list_revisions,
    read_resource,
    read_revision,
    replace_resource,
    unarchive_resource,
)
from pigi.operations.storage import delete_resource
from web.api.projects import NONE, project_path
from web.api.projects import ONE as PROJECT
from web.api.resources import schemas as models
from web.http.replies import as_json, moment, no_content, reply, unless_known
from web.http.requests import (
    BEFORE_NUMBER,
    LIMIT,
    LISTED,
    both_ways,
    examples,
    expected,
    limit_of,
    page,
    read_body,
    read_json,
    read_query,
)
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Nothing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import BaseModel

    from pigi.operations.configuration import ResourceView, RevisionView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

    View = Callable[..., Reply]

QUERY = LISTED
REVISIONS_QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_NUMBER}
SEGMENTS = {"agent": "agents", "mcp-server": "mcp-servers", "document": "documents", "settings": "settings"}
"""Where each kind's resources are, below their project."""


@dataclass(frozen=True)
class Collection:
    """A kind's resources: ``noun`` is used in sentences and, with underscores, in names of operations."""

    kind: str
    noun: str
    content: type[BaseModel]
    shown: type[BaseModel]
    revision: type[BaseModel]


def list_them(collection: Collection, context: OrganisationContext, project: str) -> Reply:
    """Newest first unless another order is asked for, without content; archived ones only if asked for."""
    query, application, caller = read_query(QUERY), context.application, context.caller
    state, sort = query.get("state", "active"), query.get("sort", "newest")
    read = partial(list_resources, application, caller, project, collection.kind, state=state, sort=sort)
    shown = both_ways(query, read, lambda resource: resource.id)
    found = count_resources(application, caller, [project])[project]
    counts = {state: found.get((collection.kind, state), 0) for state in NONE}
    resources = [_summary(context, resource) for resource in shown.items]
    return reply(as_json({"resources": resources, "counts": counts, "next": shown.next, "previous": shown.previous}))


def make(collection: Collection, context: OrganisationContext, project: str) -> Reply:
    """The body is the content, whole. What looks like a secret is refused, with the place for a slot."""
    view = create_resource(context.application, context.caller, project, collection.kind, read_json(), examples())
    return made(context, view)


def _made_before(collection: Collection, context: OrganisationContext, location: str, project: str) -> Reply:
    place = ResourceAddress(project, collection.kind, location.rpartition("/")[2])
    return made(context, read_resource(context.application, context.caller, place))


def show(collection: Collection, context: OrganisationContext, project: str, resource: str) -> Reply:
    """With its content, archived or not."""
    view = read_resource(context.application, context.caller, ResourceAddress(project, collection.kind, resource))
    return unless_known(view.tag, lambda: as_json(_resource(context, view)))


def replace(collection: Collection, context: OrganisationContext, project: str, resource: str) -> Reply:
    """The body is the new content, whole; it becomes the next revision, unless nothing changed."""
    content, tags, told = read_json(), expected(), examples()
    place = ResourceAddress(project, collection.kind, resource)
    return shown(context, replace_resource(context.application, context.caller, place, tags, content, told))


def put_away(collection: Collection, context: OrganisationContext, project: str, resource: str) -> Reply:
    """It leaves the lists and cannot be changed; its revisions stay and its name becomes free."""
    read_body(Nothing)
    place = ResourceAddress(project, collection.kind, resource)
    return shown(context, archive_resource(context.application, context.caller, place))


def bring_back(collection: Collection, context: OrganisationContext, project: str, resource: str) -> Reply:
    """Repeating it is harmless."""
    read_body(Nothing)
    place = ResourceAddress(project, collection.kind, resource)
    return shown(context, unarchive_resource(context.application, context.caller, place))


def drop(collection: Collection, context: OrganisationContext, project: str, resource: str) -> Reply:
    """It is gone with its revisions, and nothing brings it back."""
    delete_resource(context.application, context.caller, ResourceAddress(project, collection.kind, resource))
    return no_content()


def list_history(collection: Collection, context: OrganisationContext, project: str, resource: str) -> Reply:
    """Revisions, newest first, without content."""
    query = read_query(REVISIONS_QUERY)
    place = ResourceAddress(project, collection.kind, resource)
    before = int(query["before"]) if "before" in query else None
    found = list_revisions(context.application, context.caller, place, limit=limit_of(query) + 1, before=before)
    shown, following = page(query, found, lambda revision: revision.number)
    return reply(as_json({"revisions": [_revision(revision) for revision in shown], "next": following}))


def show_revision(
    collection: Collection, context: OrganisationContext, project: str, resource: str, number: int
) -> Reply:
    """What it was then, with its content; it never changes."""
    view = read_revision(
        context.application, context.caller, ResourceAddress(project, collection.kind, resource), number
    )
    return unless_known(view.tag, lambda: as_json({**_revision(view), "content": view.content}))


def _done_before(
    collection: Collection, context: OrganisationContext, _location: str, project: str, resource: str
) -> Reply:
    """The resource as it is by the time of the repeat."""
    place = ResourceAddress(project, collection.kind, resource)
    return shown(context, read_resource(context.application, context.caller, place))


def made(context: OrganisationContext, view: ResourceView) -> Reply:
    """201 with where it is."""
    answer = shown(context, view)
    answer.status_code = 201
    answer.headers["Location"] = resource_path(context.caller.organisation_id, view)
    return answer


def shown(context: OrganisationContext, view: ResourceView) -> Reply:
    """200 with a resource."""
    return reply(as_json(_resource(context, view)), ETag=view.tag)


def resource_path(organisation_id: str, view: ResourceView) -> str:
    """Where a resource is read."""
    return f"{project_path(organisation_id, view.project_id)}/{SEGMENTS[view.kind]}/{view.id}"


def _resource(context: OrganisationContext, view: ResourceView) -> dict[str, Any]:
    findings = [found.told() for found in view.findings]
    return {**_summary(context, view), "content": view.content, "findings": findings}


def _summary(context: OrganisationContext, view: ResourceView) -> dict[str, Any]:
    organisation_id = context.caller.organisation_id
    own = resource_path(organisation_id, view)
    return {
        "id": view.id,
        "organisation_id": organisation_id,
        "project_id": view.project_id,
        "kind": view.kind,
        "name": view.name,
        "revision": view.revision,
        "state": view.state,
        "created_at": moment(view.created_at),
        "updated_at": moment(view.updated_at),
        "links": {
            "self": own,
            "project": project_path(organisation_id, view.project_id),
            "revisions": f"{own}/revisions",
            "archive": f"{own}/archive",
            "unarchive": f"{own}/unarchive",
        },
    }


def _revision(view: RevisionView) -> dict[str, Any]:
    return {
        "number": view.number,
        "author": view.author,
        "origin": view.origin,
        "instruction": view.instruction,
        "model": view.model,
        "created_at": moment(view.created_at),
        "examples": [one.model_dump() for one in view.examples],
    }


COLLECTIONS = (
    Collection("agent", "agent", Agent, models.AgentResource, models.AgentRevision),
    Collection("mcp-server", "MCP server", McpServer, models.McpServerResource, models.McpServerRevision),
    Collection("document", "document", Document, models.DocumentResource, models.DocumentRevision),
    Collection("settings", "settings", Settings, models.SettingsResource, models.SettingsRevision),
)

READ, WRITE = Action.CONFIGURATION_READ, Action.CONFIGURATION_WRITE
_KNOWN = ResponseSpec(304, "The client knows it already", media_types=(), headers=("ETag",))
_CONTENT = ("secret_found", "name_taken", "archived")
_ROOM = ("too_many_resources", "too_many_kept", "plan_limit")
_EXPECTED = ("precondition_required", "precondition_failed")


def _routes_of(collection: Collection) -> Iterator[Route]:
    every = f"{PROJECT}/{SEGMENTS[collection.kind]}"
    yield from _of_all(collection, every)
    yield from _of_one(collection, f"{every}/<resource>")
    yield from _of_revisions(collection, f"{every}/<resource>/revisions")


def _of_all(collection: Collection, path: str) -> Iterator[Route]:
    answer = ResponseSpec(200, "A page of them", models.ResourceList)
    view = _view(list_them, "list", collection)
    summary = f"List a project's resources: {collection.noun}"
    yield Route("GET", path, view, READ, RouteKind.READ, summary, (answer,), problems=("invalid",), query=QUERY)
    yield Route(
        "POST",
        path,
        _view(make, "make", collection),
        WRITE,
        RouteKind.WRITE,
        f"Make a resource: {collection.noun}",
        (ResponseSpec(201, "The resource", collection.shown, headers=("Location", "ETag", "Idempotency-Replayed")),),
        problems=(*_CONTENT, *_ROOM),
        body=collection.content,
        replay=partial(_made_before, collection),
        accepts=("Pigi-Examples",),
        most_bytes=CONTENT_BYTES,
    )


def _of_one(collection: Collection, path: str) -> Iterator[Route]:
    done = ResponseSpec(200, "The resource as it is now", collection.shown, headers=("ETag", "Idempotency-Replayed"))
    read = ResponseSpec(200, "The resource", collection.shown, headers=("ETag",))
    view = _view(show, "show", collection)
    summary = f"Read a resource: {collection.noun}"
    yield Route("GET", path, view, READ, RouteKind.READ, summary, (read, _KNOWN), accepts=("If-None-Match",))
    yield Route(
        "PUT",
        path,
        _view(replace, "replace", collection),
        WRITE,
        RouteKind.WRITE,
        f"Replace a resource: {collection.noun}",
        (done,),
        problems=(*_CONTENT, *_EXPECTED, "plan_limit"),
        body=collection.content,
        replay=partial(_done_before, collection),
        accepts=("If-Match", "Pigi-Examples"),
        most_bytes=CONTENT_BYTES,
    )
    yield from _deleting(collection, path)
    for verb, act, problems in (
        ("archive", put_away, ("archived",)),
        ("unarchive", bring_back, ("archived", "name_taken", *_ROOM)),
    ):
        yield Route(
            "POST",
            f"{path}/{verb}",
            _view(act, verb, collection),
            WRITE,
            RouteKind.WRITE,
            f"{verb.capitalize()} a resource: {collection.noun}",
            (done,),
            problems=problems,
            body=Nothing,
            replay=partial(_done_before, collection),
        )


def _deleting(collection: Collection, path: str) -> Iterator[Route]:
    yield Route(
        "DELETE",
        path,
        _view(drop, "delete", collection),
        Action.CONFIGURATION_DELETE,
        RouteKind.WRITE,
        f"Delete an archived resource for good: {collection.noun}",
        (ResponseSpec(204, "It is gone, with its revisions", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("not_archived", "configuration_held"),
        confirmed=True,
    )


def _of_revisions(collection: Collection, path: str) -> Iterator[Route]:
    every = ResponseSpec(200, "A page of revisions", models.RevisionList)
    view = _view(list_history, "list_revisions_of", collection)
    summary = f"List the revisions of a resource: {collection.noun}"
    yield Route(
        "GET", path, view, READ, RouteKind.READ, summary, (every,), problems=("invalid",), query=REVISIONS_QUERY
    )
    one = ResponseSpec(200, "The revision", collection.revision, headers=("ETag",))
    view = _view(show_revision, "show_revision_of", collection)
    summary = f"Read a revision of a resource: {collection.noun}"
    yield Route(
        "GET", f"{path}/<int:number>", view, READ, RouteKind.READ, summary, (one, _KNOWN), accepts=("If-None-Match",)
    )


def _view(act: Callable[..., Reply], verb: str, collection: Collection) -> View:
    """``act`` for one collection, under a name of its own, since routes are known by their view's name."""

    def view(context: OrganisationContext, **place: Any) -> Reply:
        return act(collection, context, **place)

    view.__name__ = f"{verb}_{collection.noun.lower().replace(' ', '_')}"
    view.__doc__ = act.__doc__
    return view


ROUTES = tuple(route for collection in COLLECTIONS for route in _routes_of(collection))
