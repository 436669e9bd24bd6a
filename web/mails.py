"""An organisation's mail log over HTTP, for its admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action
from pigi.operations.mail import list_mails
from web.bodies import read_query
from web.paging import BEFORE_ID, LIMIT, limit_of, page
from web.replies import as_json, moment, reply
from web.routes import API, Answer, Kind, Route
from web.schemas.mails import MailLog

if TYPE_CHECKING:
    from pigi.operations.mail import MailView
    from web.call import Call
    from web.replies import Reply

QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}


def show_mail_log(call: Call) -> Reply:
    """What was mailed for the organisation, newest first. No address and no text is kept."""
    query = read_query(QUERY)
    found = list_mails(call.application, call.caller, limit=limit_of(query) + 1, before=query.get("before"))
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
        Kind.READ,
        "Read the mail log",
        (Answer(200, "A page of mails", MailLog),),
        problems=("invalid",),
        query=QUERY,
    ),
)
