"""Requests about one's data over HTTP: making and reading one's own; entering and answering them, for operators."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.privacy_requests import Right
from pigi.operations.privacy_requests import (
    answer_request,
    enter_request,
    extend_request,
    list_requests,
    make_request,
    read_own_request,
    read_request,
    withdraw_request,
)
from web.http.replies import API, as_json, moment, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_body, read_query
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel
from web.http.texts import Day, Email, Told

if TYPE_CHECKING:
    from pigi.operations.privacy_requests import PrivacyRequestView
    from pigi.store.sessions import ControlSession
    from web.http.context import AccountContext
    from web.http.replies import Reply

Type = Literal["access", "correction", "erasure", "portability", "restriction", "objection"]
OWN = f"{API}/privacy-requests"
ALL = f"{API}/operate/privacy-requests"
QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}


class PrivacyRequestBody(RequestModel):
    """Ask for something about your data (GDPR articles 15 to 21)."""

    type: Type = Field(description="Which right. Restriction and objection count from the moment they are made.")
    detail: Told | None = None


class EnteredRequestBody(PrivacyRequestBody):
    """Enter what somebody asked by mail."""

    email: Email
    received_on: Day | None = Field(None, description="The day on which it came, in UTC. Left out, it came just now.")


class AnswerBody(RequestModel):
    """Answer a request; whoever asked gets it by mail."""

    answer: Told
    refused: bool = Field(False, description="Whether it is not followed; the answer then says why.")


class ExtensionBody(RequestModel):
    """Let the answer take two further months; whoever asked is told why, by mail."""

    reason: Told


class PrivacyRequestFacts(ResponseModel):
    """A request. ``due_at`` is a month after it came, or ``extended_until`` counts."""

    id: Id
    type: Type
    state: Literal["open", "answered", "refused", "withdrawn"]
    detail: str | None
    received_at: datetime
    due_at: datetime
    extended_until: datetime | None
    extension_reason: str | None
    answer: str | None
    answered_at: datetime | None
    overdue: bool


class EnteredRequestFacts(PrivacyRequestFacts):
    """A request as operators see it, with the address that the answer goes to."""

    email: str | None


class PrivacyRequestList(ResponseModel):
    """Your requests, newest first."""

    requests: list[PrivacyRequestFacts]
    next: str | None


class EnteredRequestList(ResponseModel):
    """Everybody's requests, newest first."""

    requests: list[EnteredRequestFacts]
    next: str | None


def ask_about_data(context: AccountContext) -> Reply:
    """Ask for something about your data. Access and portability start a copy; what nobody has to decide is answered."""
    body = read_body(PrivacyRequestBody)

    def record(session: ControlSession, request_id: str) -> None:
        context.record(session, f"{OWN}/{request_id}", 201)

    request_id = make_request(context.application, context.account, Right(body.type), body.detail, record)
    return _made(context, f"{OWN}/{request_id}")


def show_own_requests(context: AccountContext) -> Reply:
    """Your requests, newest first."""
    return _listed(context, context.account.account_id)


def show_own_request(context: AccountContext, request: str) -> Reply:
    """A request of yours."""
    return reply(as_json(_facts(read_own_request(context.application, context.account.account_id, request))))


def withdraw(context: AccountContext, request: str) -> Reply:
    """Take a request back; a restriction or an objection counts no longer."""
    read_body(Nothing)
    return reply(as_json(_facts(withdraw_request(context.application, context.account, request, context.record))))


def show_all_requests(context: AccountContext) -> Reply:
    """Everybody's requests, newest first."""
    return _listed(context, None)


def enter(context: AccountContext) -> Reply:
    """Enter a request that came by mail; it waits for an answer."""
    body = read_body(EnteredRequestBody)

    def record(session: ControlSession, request_id: str) -> None:
        context.record(session, f"{ALL}/{request_id}", 201)

    came = None if body.received_on is None else datetime.combine(body.received_on, time(), UTC)
    entered = enter_request(
        context.application,
        context.account.name,
        Right(body.type),
        body.email,
        received_at=came,
        detail=body.detail,
        on_made=record,
    )
    return _entered(context, f"{ALL}/{entered}")


def extend(context: AccountContext, request: str) -> Reply:
    """Let the answer take two further months."""
    reason = read_body(ExtensionBody).reason
    view = extend_request(context.application, context.account.name, request, reason, context.record)
    return reply(as_json(_entered_facts(view)))


def answer(context: AccountContext, request: str) -> Reply:
    """Answer a request."""
    body = read_body(AnswerBody)
    view = answer_request(
        context.application, context.account.name, request, body.answer, refused=body.refused, on_done=context.record
    )
    return reply(as_json(_entered_facts(view)))


def _listed(context: AccountContext, account_id: str | None) -> Reply:
    query = read_query(QUERY)
    found = list_requests(context.application, account_id, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda view: view.id)
    facts = _entered_facts if account_id is None else _facts
    return reply(as_json({"requests": [facts(view) for view in shown], "next": following}))


def _made(context: AccountContext, location: str) -> Reply:
    view = read_own_request(context.application, context.account.account_id, location.rsplit("/", 1)[-1])
    return reply(as_json(_facts(view)), 201, Location=location)


def _entered(context: AccountContext, location: str) -> Reply:
    view = read_request(context.application, location.rsplit("/", 1)[-1])
    return reply(as_json(_entered_facts(view)), 201, Location=location)


def _own_again(context: AccountContext, _location: str, request: str) -> Reply:
    return show_own_request(context, request)


def _again(context: AccountContext, _location: str, request: str) -> Reply:
    return reply(as_json(_entered_facts(read_request(context.application, request))))


def _facts(view: PrivacyRequestView) -> dict[str, Any]:
    facts = {name: getattr(view, name) for name in PrivacyRequestFacts.model_fields}
    return {name: moment(value) if isinstance(value, datetime) else value for name, value in facts.items()}


def _entered_facts(view: PrivacyRequestView) -> dict[str, Any]:
    return {**_facts(view), "email": view.email}


_REPEATED = ("Idempotency-Replayed",)
_MADE = ("Location", *_REPEATED)
ROUTES = (
    Route(
        "POST",
        OWN,
        ask_about_data,
        Who.PERSON,
        RouteKind.WRITE,
        "Ask for something about your data",
        (ResponseSpec(201, "The request", PrivacyRequestFacts, headers=_MADE),),
        problems=("too_many_in_flight", "too_many_privacy_requests"),
        body=PrivacyRequestBody,
        replay=_made,
    ),
    Route(
        "GET",
        OWN,
        show_own_requests,
        Who.PERSON,
        RouteKind.READ,
        "List your requests",
        (ResponseSpec(200, "A page of requests", PrivacyRequestList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route(
        "GET",
        f"{OWN}/<request>",
        show_own_request,
        Who.PERSON,
        RouteKind.READ,
        "Read a request of yours",
        (ResponseSpec(200, "The request", PrivacyRequestFacts),),
        problems=("not_found",),
    ),
    Route(
        "POST",
        f"{OWN}/<request>/withdraw",
        withdraw,
        Who.PERSON,
        RouteKind.WRITE,
        "Take a request back",
        (ResponseSpec(200, "The request", PrivacyRequestFacts, headers=_REPEATED),),
        problems=("not_found", "request_over"),
        body=Nothing,
        body_required=False,
        replay=_own_again,
    ),
    Route(
        "GET",
        ALL,
        show_all_requests,
        Who.OPERATOR,
        RouteKind.READ,
        "List everybody's requests",
        (ResponseSpec(200, "A page of requests", EnteredRequestList),),
        problems=("not_found", "invalid"),
        query=QUERY,
    ),
    Route(
        "POST",
        ALL,
        enter,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Enter a request that came by mail",
        (ResponseSpec(201, "The request", EnteredRequestFacts, headers=_MADE),),
        problems=("not_found", "request_received_unfit"),
        body=EnteredRequestBody,
        replay=_entered,
    ),
    Route(
        "POST",
        f"{ALL}/<request>/extend",
        extend,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Extend a request",
        (ResponseSpec(200, "The request", EnteredRequestFacts, headers=_REPEATED),),
        problems=("not_found", "request_over", "request_extended"),
        body=ExtensionBody,
        replay=_again,
    ),
    Route(
        "POST",
        f"{ALL}/<request>/answer",
        answer,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Answer a request",
        (ResponseSpec(200, "The request", EnteredRequestFacts, headers=_REPEATED),),
        problems=("not_found", "request_over"),
        body=AnswerBody,
        replay=_again,
    ),
)
