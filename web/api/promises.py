"""The promises over HTTP: how each stands, signed, for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pigi.operations.promises import promises_document
from web.http.replies import API, as_json, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import ResponseModel

if TYPE_CHECKING:
    from web.http.context import RequestContext
    from web.http.replies import Reply

State = Literal["holding", "failing", "stale", "attested"]
PROMISE_ID = "^P[0-9]{2}$"


class PromiseControl(ResponseModel):
    """Something that keeps a promise, and what was found when it was last looked at."""

    name: str = Field(description="Permanent.")
    kind: Literal["static", "synthetic", "observed", "attested"]
    state: State
    evidence: str = Field(description="What was looked at, with numbers.")
    checked_at: datetime | None
    valid_until: datetime | None
    shows: str
    does_not_show: str


class PromiseState(ResponseModel):
    """A promise: ``failing`` if one of its controls is, else ``stale`` if of one nothing recent enough is known."""

    id: str = Field(pattern=PROMISE_ID)
    title: str
    sentences: list[str] = Field(description="The policy's sentences that rest on it, by their IDs.")
    state: State
    checked_at: datetime | None = Field(description="When the control was looked at that was so longest ago.")
    valid_until: datetime | None
    controls: list[PromiseControl]


class PromisesSignature(ResponseModel):
    """Ed25519 over the document without this member, in the form of RFC 8785; base64url."""

    kid: str
    value: str


class Promises(ResponseModel):
    """All promises, signed with a key of `/.well-known/pigi-keys.json`."""

    generated_at: datetime
    policy_version: int | None
    promises: list[PromiseState]
    signature: PromisesSignature


def show_promises(context: RequestContext) -> Reply:
    """How every promise stands, and on which evidence. A finding that is too old to count is stale, never holding."""
    return reply(as_json(promises_document(context.application)), Cache_Control="public, max-age=30")


def show_privacy_evidence(context: RequestContext) -> Reply:
    """The same document, where programs look for it."""
    return show_promises(context)


_ANSWER = (ResponseSpec(200, "The promises, signed", Promises),)
ROUTES = (
    Route("GET", f"{API}/promises", show_promises, Who.ANYONE, RouteKind.READ, "Read how the promises stand", _ANSWER),
    Route(
        "GET",
        "/.well-known/privacy-evidence.json",
        show_privacy_evidence,
        Who.ANYONE,
        RouteKind.READ,
        "Read how the promises stand, at a well-known place",
        _ANSWER,
    ),
)
