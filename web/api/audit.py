"""The audit log over HTTP, for an organisation's admins."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import Field

from pigi.domain.access import Action
from pigi.operations.audit import list_own_entries
from web.http.replies import API, as_json, moment, reply
from web.http.requests import BEFORE_NUMBER, LIMIT, limit_of, page, read_query
from web.http.routes import ResponseSpec, Route, RouteKind
from web.http.schemas import ResponseModel

if TYPE_CHECKING:
    from pigi.operations.audit import AuditView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


class AuditEntry(ResponseModel):
    """One act: who did what to whom; ``details`` holds identifiers, roles, scopes and counts."""

    seq: int = Field(ge=1, description="Its place in the installation's audit chain.")
    at: datetime
    kind: str
    actor: str = Field(description="account:<id>, operator:<id>, operator:cli or api-key:<id>.")
    subject: str | None
    details: dict[str, str | int]


class AuditLog(ResponseModel):
    """Entries, newest first; ``next`` is the path of the following page, null on the last."""

    entries: list[AuditEntry]
    next: str | None


QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_NUMBER}


def show_audit_log(context: OrganisationContext) -> Reply:
    """Changes of access, newest first: what, when, by whom, to whom. People and keys are named by their ids.

    They go back as far as the organisation's plan shows them.
    """
    query = read_query(QUERY)
    before = int(query["before"]) if "before" in query else None
    found = list_own_entries(context.application, context.caller, limit_of(query) + 1, before)
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
        RouteKind.READ,
        "Read the audit log",
        (ResponseSpec(200, "A page of entries", AuditLog),),
        problems=("invalid",),
        query=QUERY,
    ),
)
