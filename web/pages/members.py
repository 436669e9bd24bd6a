"""Page of an organisation's members and open invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action, Role, may_answer_for
from pigi.operations.api_keys import KeyState, list_keys
from pigi.operations.organisations import list_invitations, list_members
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.query import paged

if TYPE_CHECKING:
    from pigi.operations.organisations import MemberView
    from web.http.context import OrganisationContext
    from web.http.paging import Place, Reader
    from web.http.replies import Reply


def members_page(context: OrganisationContext) -> Reply:
    """Who belongs to it, and who is invited."""
    may = context.caller.role is not None and context.caller.role.covers(Role.ADMIN)
    pages = paged(_reader(context), "account_id")
    grantable = [role for role in Role if context.caller.role is not None and context.caller.role.covers(role)]
    return draw(
        context,
        "members/list.html",
        here="members",
        members=pages.items,
        pages=pages,
        invitations=list_invitations(context.application, context.caller) if may else [],
        roles=grantable,
        role_options=[("", "Default"), *((role, role.capitalize()) for role in grantable)],
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


def _reader(context: OrganisationContext) -> Reader[MemberView]:
    """Members in the terms of all lists; theirs came with others, the oldest being first."""

    def read(*, limit: int, before: Place | None, after: Place | None) -> list[MemberView]:
        return list_members(context.application, context.caller, limit=limit, after=before, back_from=after)

    return read


ROUTES = (page(f"{OWN}/members", members_page, Action.MEMBERS_READ),)
