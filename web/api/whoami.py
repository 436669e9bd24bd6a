"""Who a request comes from, over HTTP: what a key or a session opens, asked by whoever holds it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pigi.domain.access import Caller, Scope
from pigi.errors import Refused
from pigi.operations.accounts import confirmed_until, read_account
from pigi.operations.api_keys import read_key
from pigi.operations.organisations import names_of, organisations_of
from web.http.context import AccountContext, KeyContext
from web.http.replies import API, Reply, as_json, moment, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, ResponseModel, RoleName, ScopeName


class OwnOrganisation(ResponseModel):
    """An organisation that the caller reaches; ``role`` is null for a key, which has scopes instead."""

    id: Id
    name: str
    role: RoleName | None


class Identity(ResponseModel):
    """Who calls, and what with. What does not apply is null."""

    kind: Literal["person", "operator", "api_key"]
    id: Id = Field(description="Of the account, or of the key.")
    name: str = Field(description="The person's, or the key's label.")
    email: str | None
    organisations: list[OwnOrganisation] = Field(description="Of a key, its one.")
    scopes: list[ScopeName] | None = Field(description="What the key may do.")
    created_at: datetime
    created_by: Id | None = Field(description="The account that made the key; a key is told nobody's name.")
    expires_at: datetime | None = Field(description="When the key ends.")
    replaces: Id | None = Field(description="The key that this one is the successor of.")
    session_id: Id | None
    confirmed_until: datetime | None = Field(description="Until when the session counts as confirmed.")


def show_identity(context: AccountContext | KeyContext) -> Reply:
    """Who sends this request: the key, or whoever is signed in. No secret is shown."""
    shown = _of_key(context) if isinstance(context, KeyContext) else _of_person(context)
    return reply(as_json(shown))


def _of_key(context: KeyContext) -> dict[str, Any]:
    key, where = context.key, context.key.organisation_id
    view = read_key(context.application, Caller(where, key_id=key.key_id), key.key_id)
    name = names_of(context.application, [where]).get(where)
    if name is None:
        # Its organisation is gone since the key was looked up.
        raise Refused("unauthenticated")
    return {
        "kind": "api_key",
        "id": view.id,
        "name": view.label,
        "email": None,
        "organisations": [{"id": where, "name": name, "role": None}],
        "scopes": [scope for scope in Scope if scope in key.scopes],
        "created_at": moment(view.created_at),
        "created_by": view.created_by,
        "expires_at": moment(view.expires_at),
        "replaces": view.replaces,
        "session_id": None,
        "confirmed_until": None,
    }


def _of_person(context: AccountContext) -> dict[str, Any]:
    person = context.account
    account = read_account(context.application, person.account_id)
    mine = organisations_of(context.application, person)
    until = confirmed_until(context.application, person) if person.confirmed else None
    return {
        "kind": "operator" if account.operator else "person",
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "organisations": [{"id": one.id, "name": one.name, "role": one.role} for one in mine],
        "scopes": None,
        "created_at": moment(account.created_at),
        "created_by": None,
        "expires_at": None,
        "replaces": None,
        "session_id": person.session_id,
        "confirmed_until": moment(until),
    }


ROUTES = (
    Route(
        "GET",
        f"{API}/whoami",
        show_identity,
        Who.KNOWN,
        RouteKind.READ,
        "Show who sends the request",
        (ResponseSpec(200, "Who it is", Identity),),
        for_deleted=True,
        without_factor=True,
    ),
)
