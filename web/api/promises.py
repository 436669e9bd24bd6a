"""The promises over HTTP: how each stands, signed, for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.promises_document import SCHEMA
from pigi.flaws import pattern
from pigi.operations.promises import (
    attest,
    list_attestations,
    promises_document,
    withdraw_attestation,
)
from web.http.replies import API, as_json, moment, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Nothing, RequestModel, ResponseModel
from web.http.texts import Day, Why

if TYPE_CHECKING:
    from pigi.operations.promises import ControlStanding
    from web.http.context import AccountContext, RequestContext
    from web.http.replies import Reply

State = Literal["holding", "failing", "stale", "attested"]
PROMISE_ID = pattern("^P[0-9]{2}$", "must be the id of a promise, such as P14")


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


class AttestationBody(RequestModel):
    """What an operator answers for, and until when."""

    statement: Why = Field(description="Public, word by word.")
    until: Day = Field(description="The last day on which it counts, in UTC; at most a year away.")


class AttestationFacts(ResponseModel):
    """An attested control, and what somebody answers for."""

    control: str
    promise: str = Field(pattern=PROMISE_ID)
    state: State
    evidence: str
    attested_at: datetime | None
    valid_until: datetime | None
    shows: str


class AttestationList(ResponseModel):
    """Every attested control."""

    attestations: list[AttestationFacts]


def show_promises(context: RequestContext) -> Reply:
    """How every promise stands, and on which evidence. A finding that is too old to count is stale, never holding."""
    return reply(as_json(promises_document(context.application)), Cache_Control="public, max-age=30")


def show_privacy_evidence(context: RequestContext) -> Reply:
    """The same document, where programs look for it."""
    return show_promises(context)


def promises_schema(_context: RequestContext) -> Reply:
    """The form of the document, as a JSON Schema (draft 2020-12)."""
    return reply(_SCHEMA, media_type="application/schema+json", Cache_Control="public, max-age=300")


def show_attestations(context: AccountContext) -> Reply:
    """What operators answer for, and what nobody does."""
    return reply(as_json({"attestations": [_facts(own) for own in list_attestations(context.application)]}))


def attest_control(context: AccountContext, control: str) -> Reply:
    """Answer for what no probe can see; the statement is public, and who made it is in the audit log."""
    body = read_body(AttestationBody)
    name = context.account.name
    standing = attest(context.application, name, control, body.statement, body.until, context.record)
    return reply(as_json(_facts(standing)))


def take_attestation_back(context: AccountContext, control: str) -> Reply:
    """Take back what somebody answers for."""
    read_body(Nothing)
    standing = withdraw_attestation(context.application, context.account.name, control, context.record)
    return reply(as_json(_facts(standing)))


def _again(context: AccountContext, _location: str, control: str) -> Reply:
    found = {standing.control.name: standing for standing in list_attestations(context.application)}
    return reply(as_json(_facts(found[control])))


def _facts(standing: ControlStanding) -> dict[str, Any]:
    return {
        "control": standing.control.name,
        "promise": standing.control.promise,
        "state": standing.state.value,
        "evidence": standing.evidence,
        "attested_at": moment(standing.checked_at) if standing.checked_at else None,
        "valid_until": moment(standing.valid_until) if standing.valid_until else None,
        "shows": standing.control.shows,
    }


_SCHEMA = as_json(SCHEMA)
_REPEATED = ("Idempotency-Replayed",)
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
    Route(
        "GET",
        f"{API}/schemas/promises.json",
        promises_schema,
        Who.ANYONE,
        RouteKind.PAGE,
        "The JSON Schema of the promises",
        (ResponseSpec(200, "The schema", media_types=("application/schema+json",)),),
    ),
    Route(
        "GET",
        f"{API}/operate/attestations",
        show_attestations,
        Who.OPERATOR,
        RouteKind.READ,
        "List what operators answer for",
        (ResponseSpec(200, "Every attested control", AttestationList),),
        problems=("not_found",),
    ),
    Route(
        "POST",
        f"{API}/operate/attestations/<control>",
        attest_control,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Answer for a control",
        (ResponseSpec(200, "The control, attested", AttestationFacts, headers=_REPEATED),),
        problems=("not_found", "attestation_period"),
        body=AttestationBody,
        replay=_again,
    ),
    Route(
        "POST",
        f"{API}/operate/attestations/<control>/withdraw",
        take_attestation_back,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Take back what is answered for",
        (ResponseSpec(200, "The control, for which nobody answers", AttestationFacts, headers=_REPEATED),),
        problems=("not_found",),
        body=Nothing,
        body_required=False,
        replay=_again,
    ),
)
