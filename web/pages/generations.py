"""Pages of generations: requesting a draft, and following it from its first word to its acceptance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.configuration import list_projects
from pigi.operations.generations import read_generation
from pigi.operations.jobs import read_job
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import id_of, one_of
from web.pages.shell.words import KINDS

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

MOST_PROJECTS = 200
CHOICES = [(kind.wire, kind.noun[0].upper() + kind.noun[1:], kind.says) for kind in KINDS.values()]


def generate_page(context: OrganisationContext) -> Reply:
    """Request a draft."""
    return draw(
        context,
        "generations/new.html",
        here="generate",
        kinds=CHOICES,
        chosen=one_of("kind", KINDS, "agent"),
        project=id_of("project"),
    )


def generation_page(context: OrganisationContext, generation: str) -> Reply:
    """A draft, while it is written and after."""
    view = read_generation(context.application, context.caller.organisation_id, generation)
    context.facts.job_id = view.job_id
    projects = list_projects(context.application, context.caller, limit=MOST_PROJECTS)
    return draw(
        context,
        "generations/generation.html",
        here="generate",
        generation=view,
        job=read_job(context.application, view.job_id, context.caller.organisation_id),
        kind=KINDS[view.resource],
        projects=[(project.id, project.name) for project in projects],
        project=id_of("project") or "",
    )


ROUTES = (
    page(f"{OWN}/generate", generate_page, Action.GENERATE),
    page(f"{OWN}/generations/<generation>", generation_page, Action.GENERATIONS_READ),
)
