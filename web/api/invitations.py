"""Invitations over HTTP: sending, listing and revoking them, and joining by one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.access import Action, Role
from pigi.operations.organisations import (
    Newcomer,
    accept_invitation,
    invite,
    list_invitations,
    read_open_invitation,
    resend_invitation,
    revoke_invitation,
)
from web.http.auth import set_session_cookies
from web.http.replies import API, Reply, as_json, moment, no_content, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_body, read_query
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel, RoleName
from web.http.texts import Email, Password, Title

if TYPE_CHECKING:
    from pigi.operations.organisations import InvitationView
    from web.http.context import OrganisationContext, RequestContext


class InvitationRequest(RequestModel):
    """Invite an address."""

    email: Email
    role: RoleName | None = Field(
        None, description="Left out: a member; or, if the address has an open invitation, as it was invited before."
    )


class Invitation(ResponseModel):
    """An open invitation; ``created_at`` is when it was last sent, and ``invited_by`` who sent it then.

    ``mail`` is what became of the mail. ``held_back``: Pigi sends one address only so many invitations, whoever asks
    for them; this one stands, and can be sent again in some hours.
    """

    id: Id
    email: str
    role: RoleName
    invited_by: Id
    created_at: datetime
    expires_at: datetime
    mail: Literal["queued", "sent", "unknown", "failed", "held_back"] | None


class InvitationList(ResponseModel):
    """Open invitations, newest first; ``next`` is the path of the following page, null on the last."""

    invitations: list[Invitation]
    next: str | None


class AcceptanceRequest(RequestModel):
    """Accept an invitation: with nothing when signed in, or with a name and a password to make an account."""

    name: Title | None = None
    password: Password | None = None


class Joined(ResponseModel):
    """Which organisation one belongs to now, and as what."""

    organisation_id: Id
    organisation_name: str
    role: RoleName


ALL = f"{API}/organisations/<organisation>/invitations"
ONE = f"{ALL}/<invitation>"
QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}


def show_invitations(context: OrganisationContext) -> Reply:
    """An organisation's open invitations, newest first."""
    query = read_query(QUERY)
    found = list_invitations(context.application, context.caller, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda view: view.id)
    return reply(as_json({"invitations": [_invitation(view) for view in shown], "next": following}))


def send_invitation(context: OrganisationContext) -> Reply:
    """Invite an address by mail. Inviting it again mails the same link once more, for another role if one is given."""
    body = read_body(InvitationRequest)
    path = f"{API}/organisations/{context.caller.organisation_id}/invitations"
    view = invite(
        context.application,
        context.caller,
        body.email,
        Role(body.role) if body.role else None,
        lambda session, invitation_id: context.record(session, f"{path}/{invitation_id}", 201),
    )
    return reply(as_json(_invitation(view)), 201, Location=f"{path}/{view.id}")


def send_again(context: OrganisationContext, invitation: str) -> Reply:
    """Mail an invitation's link again; its 14 days begin anew."""
    read_body(Nothing)
    view = resend_invitation(context.application, context.caller, invitation, context.record)
    return reply(as_json(_invitation(view)))


def revoke(context: OrganisationContext, invitation: str) -> Reply:
    """Revoke an invitation: its link no longer works."""
    revoke_invitation(context.application, context.caller, invitation, context.record_no_content)
    return no_content()


def accept_by_link(context: RequestContext, token: str) -> Reply:
    """Join by a mailed link: signed in with the invited address, or with a name and a password for a new account.

    The link proves the address, so the account needs no confirmation, and is signed in.
    """
    body = read_body(AcceptanceRequest)
    newcomer = Newcomer(body.name, body.password)
    joined = accept_invitation(context.application, token, context.person, newcomer, context.network)
    shown = {
        "organisation_id": joined.organisation_id,
        "organisation_name": joined.organisation_name,
        "role": joined.role,
    }
    answer = reply(as_json(shown))
    if joined.cookie is not None:
        set_session_cookies(answer, joined.cookie, secure=context.application.settings.production)
    return answer


def _sent_before(context: OrganisationContext, location: str) -> Reply:
    view = read_open_invitation(context.application, context.caller, location.rpartition("/")[2])
    return reply(as_json(_invitation(view)), 201, Location=location)


def _sent_again_before(context: OrganisationContext, _location: str, invitation: str) -> Reply:
    return reply(as_json(_invitation(read_open_invitation(context.application, context.caller, invitation))))


def _invitation(view: InvitationView) -> dict[str, Any]:
    return {
        "id": view.id,
        "email": view.email,
        "role": view.role,
        "invited_by": view.invited_by,
        "created_at": moment(view.created_at),
        "expires_at": moment(view.expires_at),
        "mail": view.mail,
    }


ROUTES = (
    Route(
        "GET",
        ALL,
        show_invitations,
        Action.INVITATIONS_READ,
        RouteKind.READ,
        "List open invitations",
        (ResponseSpec(200, "A page of invitations", InvitationList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route(
        "POST",
        ALL,
        send_invitation,
        Action.INVITATIONS_CHANGE,
        RouteKind.WRITE,
        "Invite somebody",
        (ResponseSpec(201, "The invitation", Invitation, headers=("Location", "Idempotency-Replayed")),),
        problems=("already_member", "plan_limit", "too_many_today", "confirmation_required"),
        body=InvitationRequest,
        replay=_sent_before,
    ),
    Route(
        "DELETE",
        ONE,
        revoke,
        Action.INVITATIONS_CHANGE,
        RouteKind.WRITE,
        "Revoke an invitation",
        (ResponseSpec(204, "Its link no longer works", media_types=(), headers=("Idempotency-Replayed",)),),
    ),
    Route(
        "POST",
        f"{ONE}/resend",
        send_again,
        Action.INVITATIONS_CHANGE,
        RouteKind.WRITE,
        "Send an invitation again",
        (ResponseSpec(200, "The invitation", Invitation, headers=("Idempotency-Replayed",)),),
        problems=("too_many_today", "confirmation_required"),
        body=Nothing,
        replay=_sent_again_before,
    ),
    Route(
        "POST",
        f"{API}/invitations/<token>/accept",
        accept_by_link,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Accept an invitation",
        (ResponseSpec(200, "The organisation that one belongs to now", Joined, headers=("Set-Cookie",)),),
        problems=(
            "unauthenticated",
            "invitation_for_another",
            "not_for_operators",
            "confirmation_required",
            "link_over",
            "password_weak",
            "too_many_tries",
            "plan_limit",
        ),
        body=AcceptanceRequest,
        notes="Signed in, send nothing. `unauthenticated` says that the address has an account: sign in, then repeat.",
    ),
)
