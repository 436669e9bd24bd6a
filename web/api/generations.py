"""Generations over HTTP: requesting, reading, accepting and discarding drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.domain.limits import CONTENT_BYTES
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.configuration import ResourceAddress, read_resource
from pigi.operations.generations import Edit, Target, accept_draft, discard_draft, read_generation, request_generation
from pigi.operations.jobs import read_job
from web.api.resources.routes import SEGMENTS, made, resource_path, shown
from web.api.resources.schemas import AcceptRequest, Resource
from web.http.replies import API, Reply, generation_text, no_content, reply
from web.http.requests import MOST_BYTES, examples, expected, read_body
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind
from web.http.schemas import Generation, GenerationRequest, Nothing

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView
    from web.http.context import OrganisationContext


def ask_for_generation(context: OrganisationContext) -> JobView:
    """Ask for a draft. The answer is a job; its `links.result` is where the draft will be."""
    body = read_body(GenerationRequest)
    return request_generation(
        context.application,
        context.caller,
        body.resource,
        body.name,
        body.purpose,
        context.record_job,
        project_id=body.project,
    )


def show_generation(context: OrganisationContext, generation: str) -> Reply:
    """A generation; `draft` is null until there is one."""
    if not is_id(generation):
        raise Refused("not_found")
    organisation_id = context.caller.organisation_id
    view = read_generation(context.application, organisation_id, generation)
    context.facts.job_id = view.job_id
    return reply(generation_text(view, _job_of(context, view.job_id), organisation_id))


def _job_of(context: OrganisationContext, job_id: str) -> JobView | None:
    try:
        return read_job(context.application, job_id, context.caller.organisation_id)
    except Refused:
        return None


DRAFT = f"{API}/organisations/<organisation>/generations/<generation>"
_KINDS = {segment: kind for kind, segment in SEGMENTS.items()}


def accept(context: OrganisationContext, generation: str) -> Reply:
    """Make a draft a resource of a project, or the next revision of one; the generation no longer holds it."""
    body = read_body(AcceptRequest)
    target = Target(body.project, body.resource, expected(), examples())
    edit = Edit(body.content, body.name)
    view = accept_draft(context.application, context.caller, generation, target, edit)
    if body.resource is None:
        return made(context, view)
    reply = shown(context, view)
    reply.headers["Location"] = resource_path(context.caller.organisation_id, view)
    return reply


def _accepted_before(context: OrganisationContext, location: str, generation: str) -> Reply:  # noqa: ARG001 - a replay's
    *_, project, segment, resource = location.split("/")
    address = ResourceAddress(project, _KINDS[segment], resource)
    return made(context, read_resource(context.application, context.caller, address))


def discard(context: OrganisationContext, generation: str) -> Reply:
    """Erase a draft now; repeating it is harmless."""
    read_body(Nothing)
    discard_draft(context.application, context.caller, generation)
    return no_content()


_HEADERS = ("Location", "ETag", "Idempotency-Replayed")

ROUTES = (
    Route(
        "POST",
        f"{API}/organisations/<organisation>/generations",
        ask_for_generation,
        Action.GENERATE,
        RouteKind.JOB,
        "Generate with AI",
        JOB_RESPONSES,
        problems=(
            "secret_found",
            "not_found",
            "archived",
            "name_taken",
            "organisation_closed",
            "too_many_in_flight",
            "too_many_today",
            "plan_limit",
        ),
        body=GenerationRequest,
    ),
    Route(
        "GET",
        f"{API}/organisations/<organisation>/generations/<generation>",
        show_generation,
        Action.GENERATIONS_READ,
        RouteKind.READ,
        "Read a generation",
        (ResponseSpec(200, "The generation", Generation),),
        problems=("not_found",),
    ),
    Route(
        "POST",
        f"{DRAFT}/accept",
        accept,
        Action.CONFIGURATION_WRITE,
        RouteKind.WRITE,
        "Accept a draft",
        (
            ResponseSpec(201, "The new resource", Resource, headers=_HEADERS),
            ResponseSpec(200, "The resource with the draft as its current revision", Resource, headers=_HEADERS),
        ),
        problems=(
            "draft_not_ready",
            "draft_gone",
            "draft_has_errors",
            "secret_found",
            "archived",
            "name_taken",
            "too_many_resources",
            "too_many_kept",
            "plan_limit",
            "precondition_required",
            "precondition_failed",
        ),
        body=AcceptRequest,
        most_bytes=CONTENT_BYTES + MOST_BYTES,
        replay=_accepted_before,
        accepts=("If-Match", "Pigi-Examples"),
    ),
    Route(
        "POST",
        f"{DRAFT}/discard",
        discard,
        Action.GENERATE,
        RouteKind.WRITE,
        "Discard a draft",
        (ResponseSpec(204, "The draft is gone", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("draft_not_ready",),
        body=Nothing,
    ),
)
