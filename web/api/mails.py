"""The mail log over HTTP, for an organisation's admins."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pigi.domain.access import Action
from pigi.operations.mail import list_mails
from web.http.replies import API, as_json, moment, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_query
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import Id, ResponseModel

if TYPE_CHECKING:
    from pigi.operations.mail import MailView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


class Mail(ResponseModel):
    """One mail: what it was and how it ended. ``unknown``: the server's answer was lost, so it may have arrived."""

    id: Id
    job_id: Id
    template: str
    state: Literal["queued", "sent", "unknown", "failed"]
    reason: str | None
    tries: int | None = Field(ge=0, description="Attempts so far; null once the job's details are gone.")
    created_at: datetime
    ended_at: datetime | None


class MailLog(ResponseModel):
    """Mails, newest first; ``next`` is the path of the following page, null on the last."""

    mails: list[Mail]
    next: str | None


QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}


def show_mail_log(context: OrganisationContext) -> Reply:
    """What was mailed for the organisation, newest first. No address and no text is kept."""
    query = read_query(QUERY)
    found = list_mails(context.application, context.caller, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda mail: mail.id)
    return reply(as_json({"mails": [_mail(view) for view in shown], "next": following}))


def _mail(view: MailView) -> dict[str, Any]:
    return {
        "id": view.id,
        "job_id": view.job_id,
        "template": view.template,
        "state": view.state,
        "reason": view.reason,
        "tries": view.tries,
        "created_at": moment(view.created_at),
        "ended_at": moment(view.ended_at),
    }


ROUTES = (
    Route(
        "GET",
        f"{API}/organisations/<organisation>/mails",
        show_mail_log,
        Action.MAIL_READ,
        RouteKind.READ,
        "Read the mail log",
        (ResponseSpec(200, "A page of mails", MailLog),),
        problems=("invalid",),
        query=QUERY,
    ),
)
