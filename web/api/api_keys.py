"""API keys over HTTP: making, listing, rotating and revoking them. The secret is shown once."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from pigi.domain.access import Action, Scope
from pigi.operations.api_keys import (
    DEFAULT_DAYS,
    DEFAULT_OVERLAP_DAYS,
    LONGEST_DAYS,
    LONGEST_OVERLAP_DAYS,
    end_key,
    list_keys,
    make_key,
    read_key,
    rotate_key,
)
from web.http.replies import API, Reply, as_json, moment, no_content, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import WHOLE, Id, RequestModel, ResponseModel, ScopeName
from web.http.texts import Title

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.operations.api_keys import IssuedKey, KeyView
    from pigi.store.sessions import ControlSession
    from web.http.context import OrganisationContext

    Note = Callable[[ControlSession, str], None]

Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS, description="Days until the new key ends."), WHOLE]
Overlap = Annotated[
    int, Field(ge=0, le=LONGEST_OVERLAP_DAYS, description="Days until the old key ends; 0 ends it now."), WHOLE
]


class KeyRequest(RequestModel):
    """Make a key."""

    label: Title
    scopes: list[ScopeName] = Field(min_length=1, max_length=len(Scope), description="What it may do.")
    days: Days = DEFAULT_DAYS


class RotationRequest(RequestModel):
    """Make a successor of a key; the old one goes on for the overlap, unless it ends before by itself."""

    days: Days = DEFAULT_DAYS
    overlap_days: Overlap = DEFAULT_OVERLAP_DAYS


class ApiKey(ResponseModel):
    """A key without its secret; ``last_used_on`` is a day.

    Who left is named as a former member. ``handed_to`` is who answers for the key in its maker's place.
    """

    id: Id
    label: str
    scopes: list[ScopeName]
    state: Literal["active", "expired", "revoked"]
    created_at: datetime
    created_by: Id | None
    created_by_name: str | None
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None
    replaces: Id | None
    handed_to: Id | None
    handed_to_name: str | None


class IssuedApiKey(ApiKey):
    """A new key; ``key`` is what its holder sends, told once: null when an Idempotency-Key is repeated."""

    key: str | None


class ApiKeyList(ResponseModel):
    """Live keys, newest first, then those that ended."""

    api_keys: list[ApiKey]


ALL = f"{API}/organisations/<organisation>/api-keys"
ONE = f"{ALL}/<key>"
ONCE = "The key is told in this answer alone: repeating the request with its Idempotency-Key answers `key: null`."


def show_keys(context: OrganisationContext) -> Reply:
    """An organisation's keys, live ones first, newest first."""
    return reply(as_json({"api_keys": [_key(view) for view in list_keys(context.application, context.caller)]}))


def issue(context: OrganisationContext) -> Reply:
    """Make a key for programs. It acts for the organisation; whoever made it answers for it as long as they stay."""
    body = read_body(KeyRequest)
    scopes = [Scope(scope) for scope in body.scopes]
    return _issued(
        context, lambda note: make_key(context.application, context.caller, body.label, scopes, body.days, note)
    )


def rotate(context: OrganisationContext, key: str) -> Reply:
    """Make a successor with the same label and scopes. Both work until the overlap is over."""
    body = read_body(RotationRequest)
    return _issued(
        context, lambda note: rotate_key(context.application, context.caller, key, body.days, body.overlap_days, note)
    )


def revoke_at_once(context: OrganisationContext, key: str) -> Reply:
    """Revoke a key: whatever uses it is refused from now on. Repeating it is harmless."""
    end_key(context.application, context.caller, key, context.record_no_content)
    return no_content()


def _issued(context: OrganisationContext, act: Callable[[Note], IssuedKey]) -> Reply:
    path = f"{API}/organisations/{context.caller.organisation_id}/api-keys"
    issued = act(lambda session, key_id: context.record(session, f"{path}/{key_id}", 201))
    return _shown(context, f"{path}/{issued.id}", token=issued.token)


def _shown(context: OrganisationContext, location: str, *, token: str | None = None, **_place: str) -> Reply:
    """201 with the key at ``location``; its token is told in the first response alone."""
    key = _key(read_key(context.application, context.caller, location.rpartition("/")[2]))
    return reply(as_json({**key, "key": token}), 201, Location=location)


def _key(view: KeyView) -> dict[str, Any]:
    return {
        "id": view.id,
        "label": view.label,
        "scopes": list(view.scopes),
        "state": view.state,
        "created_at": moment(view.created_at),
        "created_by": view.created_by,
        "created_by_name": view.created_by_name,
        "expires_at": moment(view.expires_at),
        "revoked_at": moment(view.revoked_at),
        "last_used_on": view.last_used_on.isoformat() if view.last_used_on else None,
        "replaces": view.replaces,
        "handed_to": view.handed_to,
        "handed_to_name": view.handed_to_name,
    }


_ISSUED = ResponseSpec(201, "The new key", IssuedApiKey, headers=("Location", "Idempotency-Replayed"))
ROUTES = (
    Route(
        "GET",
        ALL,
        show_keys,
        Action.KEYS_READ,
        RouteKind.READ,
        "List API keys",
        (ResponseSpec(200, "The keys, of those that ended only the newest", ApiKeyList),),
    ),
    Route(
        "POST",
        ALL,
        issue,
        Action.KEYS_CHANGE,
        RouteKind.WRITE,
        "Make an API key",
        (_ISSUED,),
        confirmed=True,
        problems=("secret_found", "too_many_keys", "too_many_today"),
        body=KeyRequest,
        replay=_shown,
        notes=ONCE,
    ),
    Route(
        "POST",
        f"{ONE}/rotate",
        rotate,
        Action.KEYS_CHANGE,
        RouteKind.WRITE,
        "Rotate an API key",
        (_ISSUED,),
        confirmed=True,
        problems=("key_over", "key_rotated", "too_many_keys", "too_many_today"),
        body=RotationRequest,
        replay=_shown,
        notes=ONCE,
    ),
    Route(
        "DELETE",
        ONE,
        revoke_at_once,
        Action.KEYS_CHANGE,
        RouteKind.WRITE,
        "Revoke an API key",
        (ResponseSpec(204, "The key is revoked", media_types=(), headers=("Idempotency-Replayed",)),),
    ),
)
