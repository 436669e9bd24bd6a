"""Members over HTTP: who belongs to an organisation, as what, and leaving it."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pigi.domain.access import Action, KeyFate, Role, role_may
from pigi.operations.api_keys import keys_of
from pigi.operations.organisations import change_role, end_membership, list_members, read_member
from web.http.replies import API, Reply, as_json, moment, no_content, reply
from web.http.requests import LIMIT, limit_of, read_body, read_query
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Id, RequestModel, ResponseModel, RoleName, ScopeName
from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from pigi.operations.api_keys import KeyView
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


class MemberKey(ResponseModel):
    """A live API key that a member answers for."""

    id: Id
    label: str
    scopes: list[ScopeName]
    expires_at: datetime
    last_used_on: date | None


class MemberDetails(Member):
    """A member with the API keys that they answer for; null for who may not read keys, unless it is oneself."""

    api_keys: list[MemberKey] | None


KeyFateName = Annotated[
    Literal["revoke", "hand_over"],
    Field(
        description="What becomes of the API keys that they answer for and may no longer: they are revoked at once, or "
        "handed over to whoever asks; to the longest-standing other owner if that is oneself."
    ),
]


class RoleChange(RequestModel):
    """Make a member something else; ``api_keys`` is about keys that open more than the new role may."""

    role: RoleName
    api_keys: KeyFateName = "revoke"


class Removal(RequestModel):
    """Remove a member, or leave."""

    api_keys: KeyFateName = "revoke"


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


def show_member(context: OrganisationContext, account: str) -> Reply:
    """A member, with the API keys that end, or change hands, when they leave."""
    view = read_member(context.application, context.caller, account)
    role, own = context.caller.role, account == context.caller.account_id
    keys = None
    if own or (role is not None and role_may(role, Action.KEYS_READ)):
        keys = [_key(key) for key in keys_of(context.application, context.caller, account)]
    return reply(as_json({**_member(view), "api_keys": keys}))


def change_member(context: OrganisationContext, account: str) -> Reply:
    """Make a member something else. Nobody grants or changes a role above their own."""
    body = read_body(RoleChange)
    fate = KeyFate(body.api_keys)
    change_role(context.application, context.caller, account, Role(body.role), context.record, keys=fate)
    return _show_member(context, "", account)


def remove_member(context: OrganisationContext, account: str) -> Reply:
    """Remove a member, or leave. Access ends at once, also for streams that are open and for their API keys."""
    fate = KeyFate(read_body(Removal).api_keys)
    end_membership(context.application, context.caller, account, context.record_no_content, keys=fate)
    return no_content()


def _show_member(context: OrganisationContext, _location: str, account: str) -> Reply:
    return reply(as_json(_member(read_member(context.application, context.caller, account))))


def _key(view: KeyView) -> dict[str, Any]:
    return {
        "id": view.id,
        "label": view.label,
        "scopes": list(view.scopes),
        "expires_at": moment(view.expires_at),
        "last_used_on": view.last_used_on.isoformat() if view.last_used_on else None,
    }


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
        "GET",
        ONE,
        show_member,
        Action.MEMBERS_READ,
        RouteKind.READ,
        "Read a member",
        (ResponseSpec(200, "The member", MemberDetails),),
    ),
    Route(
        "PATCH",
        ONE,
        change_member,
        Action.MEMBERS_CHANGE,
        RouteKind.WRITE,
        "Change a member's role",
        (ResponseSpec(200, "The member", Member, headers=("Idempotency-Replayed",)),),
        problems=("last_owner", "confirmation_required", "too_many_today"),
        body=RoleChange,
        replay=_show_member,
        notes="Live API keys that they answer for, and that open more than the new role may, are settled in the same "
        "act; all other owners are mailed which.",
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
        body=Removal,
        body_required=False,
        notes="An admin removes anybody but owners. Invitations that they sent and no longer may are revoked. So are "
        "the API keys that they answer for, unless `api_keys` says otherwise; all other owners are mailed which.",
    ),
)
