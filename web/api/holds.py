"""Legal holds over HTTP, for operators: adding one, approving another's, releasing."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.operations.retention import HOLDABLE, NewHold, add_hold, approve_hold, list_holds, read_hold, release_hold
from web.http.replies import API, Reply, as_json, moment, reply
from web.http.requests import read_body
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel
from web.http.texts import Day, Why

if TYPE_CHECKING:
    from pigi.operations.retention import HoldView
    from pigi.store.sessions import ControlSession
    from web.http.context import AccountContext


HoldState = Literal["proposed", "active", "released"]


class HoldRequest(RequestModel):
    """Propose a hold."""

    organisation_id: Id
    retention: str = Field(
        description=f"The class of records: {', '.join(HOLDABLE)}.",
        json_schema_extra={"enum": [str(one) for one in HOLDABLE]},
    )
    reason: Why
    review_on: Day = Field(description="The day to look again, at most 90 days away.")


class Hold(ResponseModel):
    """A hold. ``overdue`` says that its review should have been; operators are named as ``operator:<id>``."""

    id: Id
    organisation_id: Id
    retention: str
    reason: str
    state: HoldState
    review_on: date
    overdue: bool
    added_by: str
    added_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    released_by: str | None
    released_at: datetime | None


class HoldList(ResponseModel):
    """Every hold that is kept, the newest first."""

    holds: list[Hold]


ALL = f"{API}/holds"
ONE = f"{ALL}/<hold>"


def show_holds(context: AccountContext) -> Reply:
    """Every hold, the newest first."""
    return reply(as_json({"holds": [_hold(view) for view in list_holds(context.application)]}))


def propose_hold(context: AccountContext) -> Reply:
    """Propose a hold on what belongs to an organisation, of one class. It counts once another operator approves it."""
    body = read_body(HoldRequest)

    def record(session: ControlSession, hold_id: str) -> None:
        context.record(session, f"{ALL}/{hold_id}", 201)

    wanted = NewHold(body.organisation_id, body.retention, body.reason, body.review_on)
    hold_id = add_hold(context.application, _operator(context), wanted, record)
    return _shown(context, f"{ALL}/{hold_id}")


def approve(context: AccountContext, hold: str) -> Reply:
    """Let another operator's hold count from now on."""
    read_body(Nothing)
    return reply(as_json(_hold(approve_hold(context.application, _operator(context), hold, context.record))))


def release(context: AccountContext, hold: str) -> Reply:
    """End a hold, or withdraw one that does not count yet."""
    read_body(Nothing)
    return reply(as_json(_hold(release_hold(context.application, _operator(context), hold, context.record))))


def _operator(context: AccountContext) -> str:
    return f"operator:{context.account.account_id}"


def _shown(context: AccountContext, location: str) -> Reply:
    view = read_hold(context.application, location.rsplit("/", 1)[-1])
    return reply(as_json(_hold(view)), 201, Location=location)


def _again(context: AccountContext, _location: str, hold: str) -> Reply:
    return reply(as_json(_hold(read_hold(context.application, hold))))


def _hold(view: HoldView) -> dict[str, Any]:
    moments = {name: moment(getattr(view, name)) for name in ("added_at", "approved_at", "released_at")}
    return {**vars(view), **moments, "review_on": view.review_on.isoformat()}


_ONE = (ResponseSpec(200, "The hold", Hold, headers=("Idempotency-Replayed",)),)

ROUTES = (
    Route(
        "GET",
        ALL,
        show_holds,
        Who.OPERATOR,
        RouteKind.READ,
        "List holds",
        (ResponseSpec(200, "The holds", HoldList),),
        problems=("not_found",),
    ),
    Route(
        "POST",
        ALL,
        propose_hold,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Propose a hold",
        (ResponseSpec(201, "The hold", Hold, headers=("Location", "Idempotency-Replayed")),),
        problems=("not_found", "hold_class_unfit", "hold_reason_unfit", "hold_review_unfit"),
        body=HoldRequest,
        replay=_shown,
    ),
    Route(
        "POST",
        f"{ONE}/approve",
        approve,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Approve a hold",
        _ONE,
        problems=("not_found", "hold_needs_another", "hold_over"),
        body=Nothing,
        body_required=False,
        replay=_again,
    ),
    Route(
        "POST",
        f"{ONE}/release",
        release,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Release a hold",
        _ONE,
        problems=("not_found", "hold_over"),
        body=Nothing,
        body_required=False,
        replay=_again,
    ),
)
