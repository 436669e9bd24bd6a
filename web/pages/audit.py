"""Page of an organisation's audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.audit import list_own_entries
from pigi.operations.plans import log_since
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.names import names_in
from web.pages.shell.query import PAGE, number_of, older

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def audit_page(context: OrganisationContext) -> Reply:
    """Changes of access, newest first."""
    found = list_own_entries(context.application, context.caller, PAGE + 1, number_of("before"))
    entries, following = older(found, "seq")
    names, since = names_in(context), log_since(context.application, context.caller.organisation_id)
    return draw(context, "audit/list.html", here="audit", entries=entries, next=following, names=names, since=since)


ROUTES = (page(f"{OWN}/audit", audit_page, Action.AUDIT_READ),)
