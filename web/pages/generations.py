"""Pages of generations: requesting a draft, and following it from its first word to its acceptance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import request

from pigi.domain.access import Action
from pigi.domain.resources import RESOURCES, with_defaults
from pigi.errors import Refused
from pigi.operations.configuration import list_of_kind, list_projects
from pigi.operations.generations import read_generation
from pigi.operations.jobs import read_job
from web.pages.shell.filling import filling_of
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import id_of, one_of
from web.pages.shell.words import KINDS

if TYPE_CHECKING:
    from pigi.operations.generations import GenerationView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

MOST_PROJECTS = 200
MOST_RESOURCES = 500
"""Resources that are offered to become what a draft says, those changed last; the API takes any."""
CHOICES = [(kind.wire, kind.noun[0].upper() + kind.noun[1:], kind.says) for kind in KINDS.values()]


def generate_page(context: OrganisationContext) -> Reply:
    """Request a draft; once more, what `again` names."""
    before = _before(context)
    return draw(
        context,
        "generations/new.html",
        here="generate",
        kinds=CHOICES,
        filling=filling_of(context),
        chosen=before.resource if before else one_of("kind", KINDS, "agent"),
        name=before.name if before else "",
        projects=_projects(context),
        project=id_of("project") or "",
    )


def _before(context: OrganisationContext) -> GenerationView | None:
    """The generation that is asked for again. Its name is not in the address, which is logged; its purpose nowhere."""
    try:
        return read_generation(context.application, context.caller.organisation_id, id_of("again") or "")
    except Refused:
        return None


def _projects(context: OrganisationContext) -> list[tuple[str, str]]:
    projects = list_projects(context.application, context.caller, limit=MOST_PROJECTS)
    return [(project.id, project.name) for project in projects]


def generation_page(context: OrganisationContext, generation: str) -> Reply:
    """A draft, while it is written and after."""
    view = read_generation(context.application, context.caller.organisation_id, generation)
    context.facts.job_id = view.job_id
    return draw(context, "generations/generation.html", **_values(context, view))


def edit_draft_page(context: OrganisationContext, generation: str) -> Reply:
    """Change a draft, and accept it with that."""
    view = read_generation(context.application, context.caller.organisation_id, generation)
    values = _values(context, view)
    return draw(context, "generations/edit.html", raw=request.args.get("as") == "json", **values)


def _values(context: OrganisationContext, view: GenerationView) -> dict[str, Any]:
    draft = view.draft and with_defaults(view.resource, view.draft)
    return {
        "here": "generate",
        "filling": filling_of(context) if view.draft else [],
        "generation": replace(view, draft=draft),
        "job": read_job(context.application, view.job_id, context.caller.organisation_id),
        "kind": KINDS[view.resource],
        "name_field": RESOURCES[view.resource].name_field,
        "projects": _projects(context),
        "project": id_of("project") or "",
        "resources": list_of_kind(context.application, context.caller, view.resource, MOST_RESOURCES) if draft else [],
    }


ROUTES = (
    page(f"{OWN}/generate", generate_page, Action.GENERATE),
    page(f"{OWN}/generations/<generation>", generation_page, Action.GENERATIONS_READ),
    page(f"{OWN}/generations/<generation>/edit", edit_draft_page, Action.CONFIGURATION_WRITE),
)
