"""Messages to whoever runs Pigi over HTTP: writing one, asking how far it is, answering; and `security.txt`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.contact import TicketKind
from pigi.operations.contact import (
    CANONICAL,
    answer_ticket,
    close_ticket,
    file_ticket,
    list_tickets,
    read_receipt,
    read_ticket,
    security_txt,
)
from web.http.replies import API, Reply, as_json, moment, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_body, read_query
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel
from web.http.texts import Email, Message, Title

if TYPE_CHECKING:
    from web.http.context import AccountContext, RequestContext

Kind = Literal["support", "security"]
State = Literal["open", "answered", "closed"]
TICKETS = f"{API}/tickets"
ALL = f"{API}/operate/tickets"
QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}
TEXT = "text/plain; charset=utf-8"


class TicketBody(RequestModel):
    """Write to whoever runs Pigi. No account is needed."""

    kind: Kind = Field(description="`security` for a vulnerability, else `support`.")
    email: Email
    message: Message
    name: Title | None = None


class TicketAnswer(RequestModel):
    """Answer a message; whoever wrote it gets this by mail."""

    answer: Message


class TicketFacts(ResponseModel):
    """How far a message is. Whoever has its number is told, so nothing of what was written is here."""

    number: str
    kind: Kind
    state: State
    received_at: datetime
    due_at: datetime = Field(description="By when an answer is promised.")
    answered_at: datetime | None
    closed_at: datetime | None


class TicketDetails(TicketFacts):
    """A message as operators see it. What cannot be opened, since its key is gone, is null."""

    id: Id
    account_id: Id | None
    email: str | None
    name: str | None
    message: str | None
    answer: str | None
    overdue: bool


class TicketList(ResponseModel):
    """Messages, newest first."""

    tickets: list[TicketDetails]
    next: str | None


def write_ticket(context: RequestContext) -> Reply:
    """Write to whoever runs Pigi. A mail with the number, and nothing of the message, goes to the address."""
    body = read_body(TicketBody)
    kind, person = TicketKind(body.kind), context.person
    receipt = file_ticket(
        context.application, kind, body.email, body.message, context.network, name=body.name, person=person
    )
    return reply(as_json(_facts(receipt, TicketFacts)), 201, Location=f"{TICKETS}/{receipt.number}")


def show_ticket(context: RequestContext, ticket_number: str) -> Reply:
    """How far the message with this number is."""
    return reply(as_json(_facts(read_receipt(context.application, ticket_number), TicketFacts)))


def show_tickets(context: AccountContext) -> Reply:
    """Everybody's messages, newest first."""
    query = read_query(QUERY)
    found = list_tickets(context.application, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda view: view.id)
    return reply(as_json({"tickets": [_facts(view, TicketDetails) for view in shown], "next": following}))


def show_ticket_whole(context: AccountContext, ticket: str) -> Reply:
    """A message, with what was written and answered."""
    return reply(as_json(_facts(read_ticket(context.application, ticket), TicketDetails)))


def answer_one_ticket(context: AccountContext, ticket: str) -> Reply:
    """Answer a message; a job mails the answer."""
    answer = read_body(TicketAnswer).answer
    view = answer_ticket(context.application, context.account.name, ticket, answer, context.record)
    return reply(as_json(_facts(view, TicketDetails)))


def close_one_ticket(context: AccountContext, ticket: str) -> Reply:
    """Close a message, answered or not. Nobody is mailed."""
    read_body(Nothing)
    view = close_ticket(context.application, context.account.name, ticket, context.record)
    return reply(as_json(_facts(view, TicketDetails)))


def show_security_txt(context: RequestContext) -> Reply:
    """Where vulnerabilities are reported (RFC 9116)."""
    return reply(security_txt(context.application.settings), 200, TEXT, Cache_Control="public, max-age=3600")


def move_to_security_txt(_context: RequestContext) -> Reply:
    """Where `security.txt` was looked for before it had its own place (RFC 9116, section 3)."""
    return Reply(status=301, headers={"Location": CANONICAL, "Cache-Control": "public, max-age=3600"})


def _again(context: AccountContext, _location: str, ticket: str) -> Reply:
    return show_ticket_whole(context, ticket)


def _facts(view: object, model: type[TicketFacts]) -> dict[str, Any]:
    facts = {name: getattr(view, name) for name in model.model_fields}
    return {name: moment(value) if isinstance(value, datetime) else value for name, value in facts.items()}


_REPEATED = ("Idempotency-Replayed",)
ROUTES = (
    Route(
        "POST",
        TICKETS,
        write_ticket,
        Who.ANYONE,
        RouteKind.PUBLIC_WRITE,
        "Write to whoever runs Pigi",
        (ResponseSpec(201, "The message has arrived", TicketFacts, headers=("Location",)),),
        problems=("too_many_tries",),
        body=TicketBody,
    ),
    Route(
        "GET",
        f"{TICKETS}/<ticket_number>",
        show_ticket,
        Who.ANYONE,
        RouteKind.READ,
        "Read how far a message is",
        (ResponseSpec(200, "How far it is", TicketFacts),),
        problems=("not_found",),
    ),
    Route(
        "GET",
        ALL,
        show_tickets,
        Who.OPERATOR,
        RouteKind.READ,
        "List everybody's messages",
        (ResponseSpec(200, "A page of messages", TicketList),),
        problems=("not_found", "invalid"),
        query=QUERY,
    ),
    Route(
        "GET",
        f"{ALL}/<ticket>",
        show_ticket_whole,
        Who.OPERATOR,
        RouteKind.READ,
        "Read a message",
        (ResponseSpec(200, "The message", TicketDetails),),
        problems=("not_found",),
    ),
    Route(
        "POST",
        f"{ALL}/<ticket>/answer",
        answer_one_ticket,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Answer a message",
        (ResponseSpec(200, "The message", TicketDetails, headers=_REPEATED),),
        problems=("not_found", "ticket_over"),
        body=TicketAnswer,
        replay=_again,
    ),
    Route(
        "POST",
        f"{ALL}/<ticket>/close",
        close_one_ticket,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Close a message",
        (ResponseSpec(200, "The message", TicketDetails, headers=_REPEATED),),
        problems=("not_found", "ticket_over"),
        body=Nothing,
        body_required=False,
        replay=_again,
    ),
    Route(
        "GET",
        CANONICAL,
        show_security_txt,
        Who.ANYONE,
        RouteKind.READ,
        "Read where vulnerabilities are reported",
        (ResponseSpec(200, "security.txt", media_types=(TEXT,)),),
    ),
    Route(
        "GET",
        "/security.txt",
        move_to_security_txt,
        Who.ANYONE,
        RouteKind.READ,
        "Be sent to security.txt",
        (ResponseSpec(301, "Where it is", media_types=()),),
        documented=False,
    ),
)
