"""Page of an organisation's members and open invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action, Role, may_answer_for
from pigi.operations.api_keys import KeyState, list_keys
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
        role_options=[("", "Member, if new"), *((role, role.capitalize()) for role in grantable)],
        keys=_keys_by_member(context, all_of_them=may),
    )


def _keys_by_member(context: OrganisationContext, *, all_of_them: bool) -> dict[str, list[dict[str, Any]]]:
    """Live keys by the account that answers for them; of whoever may see no others, their own."""
    found: dict[str, list[dict[str, Any]]] = {}
    for key in list_keys(context.application, context.caller):
        if key.state is KeyState.ACTIVE and key.answers and (all_of_them or key.answers == context.caller.account_id):
            beyond = not may_answer_for(Role.MEMBER, frozenset(key.scopes))
            found.setdefault(key.answers, []).append({**vars(key), "beyond_members": beyond})
    return found


ROUTES = (page(f"{OWN}/members", members_page, Action.MEMBERS_READ),)
