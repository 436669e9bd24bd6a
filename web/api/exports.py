"""Exports over HTTP: asking for one, reading how far it is, and fetching its file."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from flask import request
from pydantic import Field

from pigi.domain.access import Action, Caller
from pigi.domain.audit import REASON_LENGTH
from pigi.domain.configuration_format import SCHEMA
from pigi.ids import is_id
from pigi.operations.accounts import find_person_by_email
from pigi.operations.exports import (
    LinkSignature,
    Owner,
    is_signed,
    list_exports,
    open_file,
    read_export,
    request_configuration,
    sign_link,
    start_export,
)
from web.http.context import OrganisationContext
from web.http.downloads import DOWNLOAD_ACCEPTS, DOWNLOAD_PROBLEMS, download_responses, serve
from web.http.replies import API, as_json, job_path, moment, no_content, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_body, read_query
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, RequestModel, ResponseModel

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.model.view import JobView
    from pigi.operations.exports import ExportView
    from web.http.context import AccountContext, RequestContext, RequestFacts, Services
    from web.http.replies import Reply


class ExportRequest(RequestModel):
    """Ask for a copy of the organisation's configuration."""

    scope: Literal["configuration"] = Field(description="What to export.")


class OperatorExportRequest(RequestModel):
    """Export on behalf of an organisation, or of a person, who are told by mail."""

    subject: str = Field(
        min_length=3, max_length=254, description="An organisation's id, or the address of a person's account."
    )
    reason: str = Field(min_length=1, max_length=REASON_LENGTH, description="Why, on one line; kept in the audit log.")


class ExportLinks(ResponseModel):
    """Where to go from an export; ``file`` is null until it is ready, and opens for whoever has it, for an hour."""

    self: str
    job: str
    file: str | None


class Export(ResponseModel):
    """An export; ``bytes``, ``sha256`` and ``expires_at`` are null until it is ready."""

    id: Id
    scope: Literal["configuration", "access"]
    state: Literal["preparing", "ready", "failed", "expired"]
    bytes: int | None = Field(ge=0)
    sha256: str | None
    created_at: datetime
    expires_at: datetime | None
    links: ExportLinks


class ExportList(ResponseModel):
    """Exports, newest first; ``next`` is the path of the following page, null on the last."""

    exports: list[Export]
    next: str | None


OWN = f"{API}/organisations/<organisation>/exports"
QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}
SIGNATURE: dict[str, dict[str, Any]] = {
    "expires": {
        "description": "until when a signed link holds, in seconds since 1970",
        "schema": {"type": "string", "maxLength": 10, "pattern": "^[0-9]+$"},
    },
    "signature": {
        "description": "what makes a signed link good",
        "schema": {"type": "string", "maxLength": 43, "pattern": "^[A-Za-z0-9_-]+$"},
    },
}
"""The query of a signed link; callers who may fetch the file anyway need none."""


def ask_for_export(context: OrganisationContext) -> JobView:
    """Ask for a copy of all projects and resources with their revisions; the job's `links.result` is the export."""
    read_body(ExportRequest)
    return request_configuration(context.application, context.caller, context.record_job)


def show_exports(context: OrganisationContext) -> Reply:
    """The organisation's exports, newest first."""
    query = read_query(QUERY)
    owner = Owner(context.caller.organisation_id)
    found = list_exports(context.application, owner, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda export: export.id)
    facts = [export_facts(context.application, view, f"{_place(context)}/{view.id}") for view in shown]
    return reply(as_json({"exports": facts, "next": following}))


def show_export(context: OrganisationContext, export: str) -> Reply:
    """An export: how far it is, and where its file is once it is ready."""
    view = read_export(context.application, Owner(context.caller.organisation_id), export)
    context.facts.job_id = view.job_id
    return reply(as_json(export_facts(context.application, view, f"{_place(context)}/{view.id}")))


def fetch_export(context: OrganisationContext, export: str) -> Reply:
    """The export's file, for whoever may export and for whoever has a signed link to it (`links.file`)."""
    read_query(SIGNATURE)
    file = open_file(context.application, Owner(context.caller.organisation_id), export)
    context.facts.job_id = file.export.job_id
    return serve(context, file)


def start_operators_export(context: AccountContext) -> Reply:
    """Export for somebody. Its owners, or the person, get a mail that leads to the file; the operator gets nothing."""
    body = read_body(OperatorExportRequest)
    if is_id(body.subject):
        owner = Owner(body.subject)
    else:
        owner = Owner(None, find_person_by_email(context.application, body.subject).account_id)
    start_export(context.application, owner, context.requester, body.reason, context.record_no_content, context.account)
    return no_content()


def export_facts(application: Application, view: ExportView, path: str) -> dict[str, Any]:
    """An export as JSON values; ``path`` is where it is read."""
    link = sign_link(application, view)
    query = None if link is None else urlencode({"expires": link.expires, "signature": link.signature})
    return {
        "id": view.id,
        "scope": view.scope,
        "state": view.state,
        "bytes": view.bytes,
        "sha256": view.sha256,
        "created_at": moment(view.created_at),
        "expires_at": moment(view.expires_at),
        "links": {"self": path, "job": job_path(view.job_id), "file": query and f"{path}/file?{query}"},
    }


def read_signature() -> LinkSignature | None:
    """The signed link that the request came by, if it is one."""
    expires, signature = request.args.get("expires", ""), request.args.get("signature", "")
    return LinkSignature(int(expires), signature) if re.fullmatch("[0-9]{1,10}", expires) and signature else None


def _by_link(services: Services, facts: RequestFacts, arguments: dict[str, Any]) -> RequestContext | None:
    """Let in whoever has a link to this export, as nobody in particular."""
    link, organisation_id = read_signature(), arguments["organisation"]
    if link is None or not is_signed(services.application, Owner(organisation_id), arguments["export"], link):
        return None
    del arguments["organisation"]
    facts.organisation_id = organisation_id
    return OrganisationContext(services, facts, caller=Caller(organisation_id))


def _place(context: OrganisationContext) -> str:
    return f"{API}/organisations/{context.caller.organisation_id}/exports"


_SCHEMA = as_json(SCHEMA)


def export_schema(_context: RequestContext) -> Reply:
    """The JSON Schema of the configuration export."""
    return reply(_SCHEMA, media_type="application/schema+json", Cache_Control="public, max-age=300")


ROUTES = (
    Route(
        "POST",
        OWN,
        ask_for_export,
        Action.EXPORT,
        RouteKind.JOB,
        "Ask for an export",
        JOB_RESPONSES,
        problems=("organisation_closed", "too_many_in_flight", "too_many_today"),
        body=ExportRequest,
    ),
    Route(
        "GET",
        OWN,
        show_exports,
        Action.EXPORT,
        RouteKind.READ,
        "List exports, newest first",
        (ResponseSpec(200, "A page of exports", ExportList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route(
        "GET",
        f"{OWN}/<export>",
        show_export,
        Action.EXPORT,
        RouteKind.READ,
        "Read an export",
        (ResponseSpec(200, "The export", Export),),
    ),
    Route(
        "GET",
        f"{OWN}/<export>/file",
        fetch_export,
        Action.EXPORT,
        RouteKind.READ,
        "Fetch an export's file",
        download_responses("application/json"),
        problems=DOWNLOAD_PROBLEMS,
        query=SIGNATURE,
        accepts=DOWNLOAD_ACCEPTS,
        signed=_by_link,
    ),
    Route(
        "POST",
        f"{API}/operate/exports",
        start_operators_export,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Export on somebody's behalf",
        (ResponseSpec(204, "It is started", media_types=(), headers=("Idempotency-Replayed",)),),
        problems=("not_found", "organisation_closed", "too_many_in_flight", "reason_required"),
        body=OperatorExportRequest,
        confirmed=True,
    ),
    Route(
        "GET",
        f"{API}/schemas/configuration-export.json",
        export_schema,
        Who.ANYONE,
        RouteKind.PAGE,
        "The JSON Schema of the configuration export",
        (ResponseSpec(200, "The schema", media_types=("application/schema+json",)),),
    ),
)
