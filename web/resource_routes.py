"""The routes of the four collections of resources, made from one pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action
from pigi.domain.bounds import CONTENT_BYTES
from pigi.domain.resources.agent import Agent
from pigi.domain.resources.document import Document
from pigi.domain.resources.mcp_server import McpServer
from pigi.domain.resources.settings import Settings
from web import resources
from web.projects import ONE as PROJECT
from web.resources import QUERY, REVISIONS_QUERY, SEGMENTS, Collection
from web.routes import Answer, Kind, Route
from web.schemas import Nothing
from web.schemas import resources as models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from web.call import Call
    from web.replies import Reply

    View = Callable[..., Reply]

COLLECTIONS = (
    Collection("agent", "agent", Agent, models.AgentResource, models.AgentRevision),
    Collection("mcp-server", "MCP server", McpServer, models.McpServerResource, models.McpServerRevision),
    Collection("document", "document", Document, models.DocumentResource, models.DocumentRevision),
    Collection("settings", "settings", Settings, models.SettingsResource, models.SettingsRevision),
)

READ, WRITE = Action.CONFIGURATION_READ, Action.CONFIGURATION_WRITE
_KNOWN = Answer(304, "The client knows it already", media_types=(), headers=("ETag",))
_CONTENT = ("secret_found", "name_taken", "archived")
_ROOM = ("too_many_resources", "plan_limit")
_EXPECTED = ("precondition_required", "precondition_failed")


def _routes_of(collection: Collection) -> Iterator[Route]:
    every = f"{PROJECT}/{SEGMENTS[collection.kind]}"
    yield from _of_all(collection, every)
    yield from _of_one(collection, f"{every}/<resource>")
    yield from _of_revisions(collection, f"{every}/<resource>/revisions")


def _of_all(collection: Collection, path: str) -> Iterator[Route]:
    answer = Answer(200, "A page of them", models.ResourceList)
    view = _view(resources.list_them, "list", collection)
    summary = f"List a project's resources: {collection.noun}"
    yield Route("GET", path, view, READ, Kind.READ, summary, (answer,), problems=("invalid",), query=QUERY)
    yield Route(
        "POST",
        path,
        _view(resources.make, "make", collection),
        WRITE,
        Kind.MAKE,
        f"Make a resource: {collection.noun}",
        (Answer(201, "The resource", collection.shown, headers=("Location", "ETag", "Idempotency-Replayed")),),
        problems=(*_CONTENT, *_ROOM),
        body=collection.content,
        most_bytes=CONTENT_BYTES,
    )


def _of_one(collection: Collection, path: str) -> Iterator[Route]:
    done = Answer(200, "The resource as it is now", collection.shown, headers=("ETag", "Idempotency-Replayed"))
    read = Answer(200, "The resource", collection.shown, headers=("ETag",))
    view = _view(resources.show, "show", collection)
    summary = f"Read a resource: {collection.noun}"
    yield Route("GET", path, view, READ, Kind.READ, summary, (read, _KNOWN), accepts=("If-None-Match",))
    yield Route(
        "PUT",
        path,
        _view(resources.replace, "replace", collection),
        WRITE,
        Kind.MAKE,
        f"Replace a resource: {collection.noun}",
        (done,),
        problems=(*_CONTENT, *_EXPECTED),
        body=collection.content,
        accepts=("If-Match",),
        most_bytes=CONTENT_BYTES,
    )
    for verb, act, problems in (
        ("archive", resources.put_away, ("archived",)),
        ("unarchive", resources.bring_back, ("archived", "name_taken", *_ROOM)),
    ):
        yield Route(
            "POST",
            f"{path}/{verb}",
            _view(act, verb, collection),
            WRITE,
            Kind.MAKE,
            f"{verb.capitalize()} a resource: {collection.noun}",
            (done,),
            problems=problems,
            body=Nothing,
        )


def _of_revisions(collection: Collection, path: str) -> Iterator[Route]:
    every = Answer(200, "A page of revisions", models.RevisionList)
    view = _view(resources.list_history, "list_revisions_of", collection)
    summary = f"List the revisions of a resource: {collection.noun}"
    yield Route("GET", path, view, READ, Kind.READ, summary, (every,), problems=("invalid",), query=REVISIONS_QUERY)
    one = Answer(200, "The revision", collection.revision, headers=("ETag",))
    view = _view(resources.show_revision, "show_revision_of", collection)
    summary = f"Read a revision of a resource: {collection.noun}"
    yield Route(
        "GET", f"{path}/<int:number>", view, READ, Kind.READ, summary, (one, _KNOWN), accepts=("If-None-Match",)
    )


def _view(act: Callable[..., Reply], verb: str, collection: Collection) -> View:
    """``act`` for one collection, under a name of its own, since routes are known by their view's name."""

    def view(call: Call, **place: Any) -> Reply:
        return act(collection, call, **place)

    view.__name__ = f"{verb}_{collection.noun.lower().replace(' ', '_')}"
    view.__doc__ = act.__doc__
    return view


ROUTES = tuple(route for collection in COLLECTIONS for route in _routes_of(collection))
