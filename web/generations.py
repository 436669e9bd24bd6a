"""Generations over HTTP: asking for a draft and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.generations import read_generation, request_generation
from web.bodies import read_body
from web.repeats import ASKED, once
from web.replies import generation_text, reply
from web.routes import API, Answer, Kind, Route
from web.schemas import Generation, GenerationRequest

if TYPE_CHECKING:
    from web.call import Call
    from web.replies import Reply


def ask_for_generation(call: Call) -> Reply:
    """Ask for a draft. The answer is a job; its `links.result` is where the draft will be."""
    asked = read_body(GenerationRequest)
    return once(
        call,
        lambda decide: request_generation(
            call.application, call.caller, asked.resource, asked.name, asked.purpose, decide
        ),
    )


def show_generation(call: Call, generation: str) -> Reply:
    """A generation; `draft` is null until there is one."""
    if not is_id(generation):
        raise Refused("not_found")
    organisation_id = call.caller.organisation_id
    view = read_generation(call.application, organisation_id, generation)
    call.facts.job_id = view.job_id
    return reply(generation_text(view, organisation_id))


ROUTES = (
    Route(
        "POST",
        f"{API}/organisations/<organisation>/generations",
        ask_for_generation,
        Action.GENERATE,
        Kind.CHANGE,
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
        Kind.READ,
        "Read a generation",
        (Answer(200, "The generation", Generation),),
        problems=("not_found",),
    ),
)
