"""Page of an organisation's members and open invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.domain.access import Action, Role
from pigi.operations.organisations import list_invitations, list_members
from web.pages.shell.layout import OWN, draw, page

if TYPE_CHECKING:
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def members_page(context: OrganisationContext) -> Reply:
    """Who belongs to it, and who is invited."""
    may = context.caller.role is not None and context.caller.role.covers(Role.ADMIN)
    grantable = [role for role in Role if context.caller.role is not None and context.caller.role.covers(role)]
    return draw(
        context,
        "members/list.html",
        here="members",
        members=list_members(context.application, context.caller),
        invitations=list_invitations(context.application, context.caller) if may else [],
        roles=grantable,
        role_options=[(role, role.capitalize()) for role in grantable],
    )


ROUTES = (page(f"{OWN}/members", members_page, Action.MEMBERS_READ),)
