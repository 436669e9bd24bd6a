"""An organisation's audit log over HTTP, for its admins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action
from pigi.operations.audit_reading import list_own_entries
from web.bodies import read_query
from web.paging import BEFORE_NUMBER, LIMIT, limit_of, page
from web.replies import as_json, moment, reply
from web.routes import API, Answer, Kind, Route
from web.schemas.audit import AuditLog

if TYPE_CHECKING:
    from pigi.operations.audit_reading import AuditView
    from web.call import Call
    from web.replies import Reply

QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_NUMBER}


def show_audit_log(call: Call) -> Reply:
    """Changes of access, newest first: what, when, by whom, to whom. People and keys are named by their ids.

    They go back as far as the organisation's plan shows them.
    """
    query = read_query(QUERY)
    before = int(query["before"]) if "before" in query else None
    found = list_own_entries(call.application, call.caller, limit_of(query) + 1, before)
    shown, following = page(query, found, lambda entry: entry.seq)
    return reply(as_json({"entries": [_entry(view) for view in shown], "next": following}))


def _entry(view: AuditView) -> dict[str, Any]:
    return {
        "seq": view.seq,
        "at": moment(view.at),
        "kind": view.kind,
        "actor": view.actor,
        "subject": view.subject,
        "details": view.details,
    }


ROUTES = (
    Route(
        "GET",
        f"{API}/organisations/<organisation>/audit",
        show_audit_log,
        Action.AUDIT_READ,
        Kind.READ,
        "Read the audit log",
        (Answer(200, "A page of entries", AuditLog),),
        problems=("invalid",),
        query=QUERY,
    ),
)
