"""Accepting and discarding drafts over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.accepting import Target, accept_draft, discard_draft
from pigi.operations.resources import read_resource
from pigi.operations.revisions import Place
from web.bodies import read_body
from web.conditions import expected
from web.repeats import once_made
from web.replies import Reply
from web.resources import SEGMENTS, made, resource_path, shown
from web.routes import API, Answer, Kind, Route
from web.schemas import Nothing
from web.schemas.resources import AcceptRequest, Resource

if TYPE_CHECKING:
    from pigi.operations.resources import ResourceView
    from web.call import Call

DRAFT = f"{API}/organisations/<organisation>/generations/<generation>"
_KINDS = {segment: kind for kind, segment in SEGMENTS.items()}


def accept(call: Call, generation: str) -> Reply:
    """Make a draft a resource of a project, or the next revision of one; the generation no longer holds it."""
    asked, tags = read_body(AcceptRequest), expected()
    target = Target(asked.project, asked.resource, tags)

    def answer(view: ResourceView) -> Reply:
        if asked.resource is None:
            return made(call, view)
        told = shown(call, view)
        told.headers["Location"] = resource_path(call.caller.organisation_id, view)
        return told

    return once_made(
        call,
        lambda _made_in: answer(accept_draft(call.application, call.caller, generation, target)),
        lambda location: answer(read_resource(call.application, call.caller, _place(location))),
    )


def discard(call: Call, generation: str) -> Reply:
    """Erase a draft now; repeating it is harmless."""
    read_body(Nothing)

    def act(_made_in: object) -> Reply:
        discard_draft(call.application, call.caller, generation)
        return Reply(status=204, headers={"Cache-Control": "no-store"})

    return once_made(call, act)


def _place(location: str) -> Place:
    *_, project, segment, resource = location.split("/")
    return Place(project, _KINDS[segment], resource)


_HEADERS = ("Location", "ETag", "Idempotency-Replayed")
ROUTES = (
    Route(
        "POST",
        f"{DRAFT}/accept",
        accept,
        Action.CONFIGURATION_WRITE,
        Kind.MAKE,
        "Accept a draft",
        (
            Answer(201, "The new resource", Resource, headers=_HEADERS),
            Answer(200, "The resource with the draft as its current revision", Resource, headers=_HEADERS),
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
        Kind.MAKE,
        "Discard a draft",
        (Answer(204, "The draft is gone", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("draft_not_ready",),
        body=Nothing,
    ),
)  # fmt: skip
