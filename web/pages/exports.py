"""Pages of exports: an organisation's own, and all of them for operators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.domain.audit import REASON_LENGTH
from pigi.domain.exports import MOST_PREPARING, ExportState
from pigi.operations.exports import Owner, jobs_of, list_exports, list_started
from pigi.operations.organisations import names_of
from web.http.routes import Who
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import paged

if TYPE_CHECKING:
    from web.http.context import AccountContext, OrganisationContext
    from web.http.replies import Reply


def exports_page(context: OrganisationContext) -> Reply:
    """Exports, newest first, and asking for one."""
    where = context.caller.organisation_id
    pages = paged(partial(list_exports, context.application, Owner(where)), "id")
    preparing = [export for export in pages.items if export.state is ExportState.PREPARING]
    return draw(
        context,
        "exports/list.html",
        here="exports",
        exports=pages.items,
        pages=pages,
        jobs=jobs_of(context.application, pages.items),
        polls=bool(preparing),
        full=len(preparing) >= MOST_PREPARING,
        path=f"/o/{where}",
    )


def started_page(context: AccountContext) -> Reply:
    """Every export, newest first, and starting one on somebody's behalf."""
    started = list_started(context.application)
    names = names_of(context.application, [export.owner.organisation_id for export, _job in started])
    return draw(context, "operators/exports.html", here="", started=started, names=names, reason_length=REASON_LENGTH)


ROUTES = (
    page(f"{OWN}/exports", exports_page, Action.EXPORT),
    page("/operate/exports", started_page, Who.OPERATOR),
)
