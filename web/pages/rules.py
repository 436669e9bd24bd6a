"""The page of the rules for resources: what the organisation refuses and what it is warned of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.operations.rules import list_rules
from web.pages.shell.layout import OWN, draw, page

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def rules_page(context: OrganisationContext) -> Reply:
    """Each rule with what holds now; owners and admins decide."""
    rules = list_rules(context.application, context.caller)
    return draw(
        context,
        "organisations/rules.html",
        here="settings",
        open=[rule for rule in rules if not rule.fixed],
        fixed=[rule for rule in rules if rule.fixed],
    )


ROUTES = (page(f"{OWN}/settings/rules", rules_page, Action.WORKSPACE_READ),)
