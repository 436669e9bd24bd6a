"""Members over HTTP: who belongs to an organisation, as what, and leaving it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action, Role
from pigi.operations.organisations import change_role, end_membership, list_members, read_member
from web.http.replies import API, Reply, as_json, moment, no_content, reply
from web.http.requests import LIMIT, limit_of, read_body, read_query
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Id, RequestModel, ResponseModel, RoleName
from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from pigi.operations.organisations import MemberView
    from web.http.context import OrganisationContext


class Member(ResponseModel):
    """A member of an organisation."""

    account_id: Id
    name: str
    email: str
    role: RoleName
    joined_at: datetime


class MemberList(ResponseModel):
    """Members, the oldest account first; ``next`` is the path of the following page, null on the last."""

    members: list[Member]
    next: str | None


class RoleChange(RequestModel):
    """Make a member something else."""

    role: RoleName


ALL = f"{API}/organisations/<organisation>/members"
ONE = f"{ALL}/<account>"
QUERY: dict[str, dict[str, Any]] = {
    "limit": LIMIT,
    "after": {
        "description": "the account_id of the last one of the page before",
        "schema": {"type": "string", "format": "uuid", "pattern": ID_PATTERN},
    },
}


def show_members(context: OrganisationContext) -> Reply:
    """An organisation's members, the oldest account first."""
    query = read_query(QUERY)
    limit = limit_of(query)
    found = list_members(context.application, context.caller, limit=limit + 1, after=query.get("after"))
    path = f"{API}/organisations/{context.caller.organisation_id}/members"
    following = f"{path}?limit={limit}&after={found[limit - 1].account_id}" if len(found) > limit else None
    return reply(as_json({"members": [_member(view) for view in found[:limit]], "next": following}))


def change_member(context: OrganisationContext, account: str) -> Reply:
    """Make a member something else. Nobody grants or changes a role above their own."""
    change_role(context.application, context.caller, account, Role(read_body(RoleChange).role), context.record)
    return _show_member(context, "", account)


def remove_member(context: OrganisationContext, account: str) -> Reply:
    """Remove a member, or leave. Access ends at once, also for streams that are open."""
    end_membership(context.application, context.caller, account, context.record_no_content)
    return no_content()


def _show_member(context: OrganisationContext, _location: str, account: str) -> Reply:
    return reply(as_json(_member(read_member(context.application, context.caller, account))))


def _member(view: MemberView) -> dict[str, Any]:
    return {
        "account_id": view.account_id,
        "name": view.name,
        "email": view.email,
        "role": view.role,
        "joined_at": moment(view.joined_at),
    }


ROUTES = (
    Route(
        "GET",
        ALL,
        show_members,
        Action.MEMBERS_READ,
        RouteKind.READ,
        "List members",
        (ResponseSpec(200, "A page of members", MemberList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route(
        "PATCH",
        ONE,
        change_member,
        Action.MEMBERS_CHANGE,
        RouteKind.WRITE,
        "Change a member's role",
        (ResponseSpec(200, "The member", Member, headers=("Idempotency-Replayed",)),),
        problems=("last_owner", "confirmation_required"),
        body=RoleChange,
        replay=_show_member,
    ),
    Route(
        "DELETE",
        ONE,
        remove_member,
        Action.MEMBERSHIP_END,
        RouteKind.WRITE,
        "Remove a member, or leave",
        (ResponseSpec(204, "They belong to it no longer", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("last_owner", "confirmation_required"),
        notes="An admin removes anybody but owners. Invitations that they sent and no longer may are revoked.",
    ),
)
