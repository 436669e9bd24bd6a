"""Invitations over HTTP: sending, listing and revoking them, and joining by one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

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
from web.http.bodies import read_body, read_query
from web.http.cookies import sign_in
from web.http.paging import BEFORE_ID, LIMIT, limit_of, page
from web.http.repeats import once_made
from web.http.replies import API, Reply, as_json, moment, reply
from web.http.routes import Response, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel, RoleName
from web.http.texts import Email, Password, Title

if TYPE_CHECKING:
    from pigi.operations.organisations import InvitationView
    from web.http.context import OrganisationContext, RequestContext
    from web.http.repeats import OnMade


class InvitationRequest(RequestModel):
    """Invite an address."""

    email: Email
    role: RoleName = "member"


class Invitation(ResponseModel):
    """An open invitation; ``created_at`` is when it was last sent, and ``invited_by`` who sent it then."""

    id: Id
    email: str
    role: RoleName
    invited_by: Id
    created_at: datetime
    expires_at: datetime


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
    """Invite an address by mail. Inviting it again changes the role and mails the same link once more."""
    body = read_body(InvitationRequest)

    def act(made: OnMade) -> Reply:
        def note(session: Any, invitation_id: str) -> None:
            made(session, f"{_all(context)}/{invitation_id}", 201)

        return _made(context, invite(context.application, context.caller, body.email, Role(body.role), note))

    return once_made(context, act, lambda location: _made(context, _found(context, location.rpartition("/")[2])))


def send_again(context: OrganisationContext, invitation: str) -> Reply:
    """Mail an invitation's link again; its 14 days begin anew."""
    read_body(Nothing)

    def act(made: OnMade) -> Reply:
        view = resend_invitation(
            context.application, context.caller, invitation, lambda session: made(session, "", 200)
        )
        return _shown(view)

    return once_made(context, act, lambda _location: _shown(_found(context, invitation)))


def revoke(context: OrganisationContext, invitation: str) -> Reply:
    """Revoke an invitation: its link no longer works."""

    def act(made: OnMade) -> Reply:
        revoke_invitation(context.application, context.caller, invitation, lambda session: made(session, "", 204))
        return Reply(status=204, headers={"Cache-Control": "no-store"})

    return once_made(context, act)


def accept_by_link(context: RequestContext, token: str) -> Reply:
    """Join by a mailed link: signed in with the invited address, or with a name and a password for a new account.

    The link proves the address, so the account needs no confirmation, and is signed in.
    """
    body = read_body(AcceptanceRequest)
    joined = accept_invitation(context.application, token, context.person, Newcomer(body.name, body.password))
    told = {
        "organisation_id": joined.organisation_id,
        "organisation_name": joined.organisation_name,
        "role": joined.role,
    }
    answer = reply(as_json(told))
    if joined.cookie is not None:
        sign_in(answer, joined.cookie, secure=context.application.settings.production)
    return answer


def _all(context: OrganisationContext) -> str:
    return f"{API}/organisations/{context.caller.organisation_id}/invitations"


def _found(context: OrganisationContext, invitation_id: str) -> InvitationView:
    return read_open_invitation(context.application, context.caller, invitation_id)


def _made(context: OrganisationContext, view: InvitationView) -> Reply:
    answer = _shown(view)
    answer.status_code = 201
    answer.headers["Location"] = f"{_all(context)}/{view.id}"
    return answer


def _shown(view: InvitationView) -> Reply:
    return reply(as_json(_invitation(view)))


def _invitation(view: InvitationView) -> dict[str, Any]:
    return {
        "id": view.id,
        "email": view.email,
        "role": view.role,
        "invited_by": view.invited_by,
        "created_at": moment(view.created_at),
        "expires_at": moment(view.expires_at),
    }


ROUTES = (
    Route(
        "GET",
        ALL,
        show_invitations,
        Action.INVITATIONS_READ,
        RouteKind.READ,
        "List open invitations",
        (Response(200, "A page of invitations", InvitationList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route(
        "POST",
        ALL,
        send_invitation,
        Action.INVITATIONS_CHANGE,
        RouteKind.MAKE,
        "Invite somebody",
        (Response(201, "The invitation", Invitation, headers=("Location", "Idempotency-Replayed")),),
        problems=("already_member", "plan_limit", "too_many_today"),
        body=InvitationRequest,
    ),
    Route(
        "DELETE",
        ONE,
        revoke,
        Action.INVITATIONS_CHANGE,
        RouteKind.MAKE,
        "Revoke an invitation",
        (Response(204, "Its link no longer works", media_types=(), headers=("Idempotency-Replayed",)),),
    ),
    Route(
        "POST",
        f"{ONE}/resend",
        send_again,
        Action.INVITATIONS_CHANGE,
        RouteKind.MAKE,
        "Send an invitation again",
        (Response(200, "The invitation", Invitation, headers=("Idempotency-Replayed",)),),
        problems=("too_many_today",),
        body=Nothing,
    ),
    Route(
        "POST",
        f"{API}/invitations/<token>/accept",
        accept_by_link,
        Who.ANYONE,
        RouteKind.OPEN,
        "Accept an invitation",
        (Response(200, "The organisation that one belongs to now", Joined, headers=("Set-Cookie",)),),
        problems=(
            "unauthenticated",
            "invitation_for_another",
            "not_for_operators",
            "link_over",
            "password_weak",
            "plan_limit",
        ),
        body=AcceptanceRequest,
        notes="Signed in, send nothing. `unauthenticated` says that the address has an account: sign in, then repeat.",
    ),
)
