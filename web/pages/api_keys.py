"""Page of an organisation's API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action, Scope
from pigi.operations.api_keys import DEFAULT_DAYS, DEFAULT_OVERLAP_DAYS, LONGEST_DAYS, KeyState, list_keys
from web.pages.shell.layout import OWN, draw, page

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply

SCOPES = (
    (Scope.CONFIGURATION_READ, "Read configuration", "Projects, resources and their revisions."),
    (Scope.CONFIGURATION_WRITE, "Write configuration", "Create, change and archive them; includes reading."),
    (Scope.GENERATIONS_WRITE, "Generate with AI", "Generate drafts; follow, cancel and retry their jobs."),
    (Scope.EXPORTS_WRITE, "Export", "Take all of the configuration along in one file."),
)


def api_keys_page(context: OrganisationContext) -> Reply:
    """Keys, and making one."""
    keys = list_keys(context.application, context.caller)
    days = {"usual": DEFAULT_DAYS, "most": LONGEST_DAYS, "overlap": DEFAULT_OVERLAP_DAYS}
    return draw(
        context,
        "api_keys/list.html",
        here="keys",
        keys=keys,
        names={key.id: key.label for key in keys},
        rotated={key.replaces for key in keys if key.state is KeyState.ACTIVE},
        scopes=SCOPES,
        days=days,
    )


ROUTES = (page(f"{OWN}/api-keys", api_keys_page, Action.KEYS_READ),)
