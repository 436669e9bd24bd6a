"""Generations over HTTP: requesting, reading, accepting and discarding drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.configuration import ResourceAddress, read_resource
from pigi.operations.generations import Target, accept_draft, discard_draft, read_generation, request_generation
from web.api.resources.routes import SEGMENTS, made, resource_path, shown
from web.api.resources.schemas import AcceptRequest, Resource
from web.http.bodies import read_body
from web.http.conditions import expected
from web.http.repeats import ASKED, once, once_made
from web.http.replies import API, Reply, generation_text, reply
from web.http.routes import Response, Route, RouteKind
from web.http.schemas import Generation, GenerationRequest, Nothing

if TYPE_CHECKING:
    from pigi.operations.configuration import ResourceView
    from web.http.context import OrganisationContext


def ask_for_generation(context: OrganisationContext) -> Reply:
    """Ask for a draft. The answer is a job; its `links.result` is where the draft will be."""
    body = read_body(GenerationRequest)
    return once(
        context,
        lambda decide: request_generation(
            context.application, context.caller, body.resource, body.name, body.purpose, decide
        ),
    )


def show_generation(context: OrganisationContext, generation: str) -> Reply:
    """A generation; `draft` is null until there is one."""
    if not is_id(generation):
        raise Refused("not_found")
    organisation_id = context.caller.organisation_id
    view = read_generation(context.application, organisation_id, generation)
    context.facts.job_id = view.job_id
    return reply(generation_text(view, organisation_id))


_GENERATIONS_ROUTES = (
    Route(
        "POST",
        f"{API}/organisations/<organisation>/generations",
        ask_for_generation,
        Action.GENERATE,
        RouteKind.CHANGE,
        "Generate with AI",
        ASKED,
        problems=("not_found", "organisation_closed", "too_many_in_flight", "too_many_today", "plan_limit"),
        body=GenerationRequest,
    ),
    Route(
        "GET",
        f"{API}/organisations/<organisation>/generations/<generation>",
        show_generation,
        Action.GENERATIONS_READ,
        RouteKind.READ,
        "Read a generation",
        (Response(200, "The generation", Generation),),
        problems=("not_found",),
    ),
)

DRAFT = f"{API}/organisations/<organisation>/generations/<generation>"
_KINDS = {segment: kind for kind, segment in SEGMENTS.items()}


def accept(context: OrganisationContext, generation: str) -> Reply:
    """Make a draft a resource of a project, or the next revision of one; the generation no longer holds it."""
    body, tags = read_body(AcceptRequest), expected()
    target = Target(body.project, body.resource, tags)

    def answer(view: ResourceView) -> Reply:
        if body.resource is None:
            return made(context, view)
        told = shown(context, view)
        told.headers["Location"] = resource_path(context.caller.organisation_id, view)
        return told

    return once_made(
        context,
        lambda _made_in: answer(accept_draft(context.application, context.caller, generation, target)),
        lambda location: answer(read_resource(context.application, context.caller, _place(location))),
    )


def discard(context: OrganisationContext, generation: str) -> Reply:
    """Erase a draft now; repeating it is harmless."""
    read_body(Nothing)

    def act(_made_in: object) -> Reply:
        discard_draft(context.application, context.caller, generation)
        return Reply(status=204, headers={"Cache-Control": "no-store"})

    return once_made(context, act)


def _place(location: str) -> ResourceAddress:
    *_, project, segment, resource = location.split("/")
    return ResourceAddress(project, _KINDS[segment], resource)


_HEADERS = ("Location", "ETag", "Idempotency-Replayed")
_ACCEPTING_ROUTES = (
    Route(
        "POST",
        f"{DRAFT}/accept",
        accept,
        Action.CONFIGURATION_WRITE,
        RouteKind.MAKE,
        "Accept a draft",
        (
            Response(201, "The new resource", Resource, headers=_HEADERS),
            Response(200, "The resource with the draft as its current revision", Resource, headers=_HEADERS),
        ),
        problems=(
            "draft_not_ready", "draft_gone", "draft_has_errors", "secret_found", "archived", "name_taken",
            "too_many_resources", "plan_limit", "precondition_required", "precondition_failed",
        ),
        body=AcceptRequest,
        accepts=("If-Match",),
    ),
    Route(
        "POST",
        f"{DRAFT}/discard",
        discard,
        Action.GENERATE,
        RouteKind.MAKE,
        "Discard a draft",
        (Response(204, "The draft is gone", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("draft_not_ready",),
        body=Nothing,
    ),
)  # fmt: skip

ROUTES = (*_GENERATIONS_ROUTES, *_ACCEPTING_ROUTES)
