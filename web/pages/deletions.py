"""Pages of deletions: an organisation's own for its owners, and all of them for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.access import Action
from pigi.domain.deletions import DeletionState
from pigi.errors import Refused
from pigi.operations.deletion import list_deletions, read_deletion
from web.http.replies import Reply
from web.http.routes import Who
from web.pages.shell.layout import OWN, draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext, OrganisationContext


def deletion_page(context: OrganisationContext) -> Reply:
    """How far its deletion is, until when it can be restored, and what will be left."""
    try:
        view, held = read_deletion(context.application, context.caller)
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        # A link from a mail, after somebody restored it.
        there = f"/o/{context.caller.organisation_id}/settings"
        return Reply(status=303, headers={"Location": there, "Cache-Control": "no-store"})
    return draw(
        context,
        "deletions/deletion.html",
        here="deletion",
        where=context.caller.organisation_id,
        deletion=view,
        held=held,
        restorable=view.state is DeletionState.GRACE and view.restorable_until > now(),
    )


def deletions_page(context: AccountContext) -> Reply:
    """Every deletion with its steps, when it is due, and whether it is held or overdue."""
    cases = list_deletions(context.application)
    return draw(context, "operators/deletions.html", here="", cases=cases)


ROUTES = (
    page(f"{OWN}/deletion", deletion_page, Action.DELETION_READ),
    page("/operate/deletions", deletions_page, Who.OPERATOR),
)
