"""Page of an organisation's audit log."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.audit import list_own_entries
from pigi.operations.plans import log_since
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.names import names_in
from web.pages.shell.query import number_of, paged

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def audit_page(context: OrganisationContext) -> Reply:
    """Changes of access, newest first."""
    pages = paged(partial(list_own_entries, context.application, context.caller), "seq", number_of)
    names, since = names_in(context), log_since(context.application, context.caller.organisation_id)
    return draw(context, "audit/list.html", here="audit", entries=pages.items, pages=pages, names=names, since=since)


ROUTES = (page(f"{OWN}/audit", audit_page, Action.AUDIT_READ),)
