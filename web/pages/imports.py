"""Pages of imports: uploading a file, and what it would change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.imports import list_imports, read_import
from pigi.operations.jobs import read_job
from web.pages.shell.filling import filling_of
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import paged

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

ALL = f"{OWN}/imports"


def imports_page(context: OrganisationContext) -> Reply:
    """Upload a file, and the imports of the last days."""
    pages = paged(partial(list_imports, context.application, context.caller), "id")
    most = context.application.settings.import_bytes
    return draw(
        context,
        "imports/list.html",
        here="projects",
        imports=pages.items,
        pages=pages,
        most=most,
        filling=filling_of(context),
    )


def import_page(context: OrganisationContext, import_id: str) -> Reply:
    """One import: its report, and what can be done with it."""
    view = read_import(context.application, context.caller, import_id)
    job_id = view.accept_job_id or view.job_id
    context.facts.job_id = job_id
    job = read_job(context.application, job_id, context.caller.organisation_id)
    return draw(context, "imports/import.html", here="projects", one=view, job=job, filling=filling_of(context))


ROUTES = (page(ALL, imports_page, Action.IMPORT), page(f"{ALL}/<import_id>", import_page, Action.IMPORT))
