"""Imports over HTTP: uploading a file, reading its report, accepting and discarding it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from flask import request
from pydantic import Field

from pigi.domain.access import Action
from pigi.operations.imports import Upload, accept_import, discard_import, list_imports, read_import
from web.http.replies import API, as_json, explanation, job_path, moment, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_body, read_query
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind
from web.http.schemas import Id, Nothing, ReasonWords, ResourceKind, ResponseModel
from web.http.uploads import FORM

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView
    from pigi.operations.imports import ImportView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


class ImportCounts(ResponseModel):
    """How many there are of each."""

    projects: int = Field(ge=0)
    resources: int = Field(ge=0)
    revisions: int = Field(ge=0)
    kinds: dict[ResourceKind, int]


class ImportFlaw(ResponseModel):
    """What is wrong: where in the file, as a JSON pointer (RFC 6901), and what.

    If what looks like a secret is one that may be an example, ``example`` names it: list that in ``examples`` of its
    revision in the file, and send the file again.
    """

    pointer: str
    message: str
    example: str | None = None


class RefusedEntry(ResponseModel):
    """A project or resource that is not imported, and why."""

    pointer: str
    code: str
    errors: list[ImportFlaw]


class RefusedEntries(ResponseModel):
    """All that are refused, counted; the first of them, listed."""

    count: int = Field(ge=0)
    shown: list[RefusedEntry]


class ImportedProject(ResponseModel):
    """A project of the file; ``into`` is `existing` if its resources go into one that is there."""

    pointer: str
    name: str
    state: Literal["active", "archived"]
    into: Literal["existing"] | None


class ImportedProjects(ResponseModel):
    """All projects that can be imported, counted; the first of them, listed."""

    count: int = Field(ge=0)
    shown: list[ImportedProject]


class ImportConflict(ResponseModel):
    """A resource that is there with other content: that one stays, this one goes into the new project ``into``."""

    pointer: str
    kind: ResourceKind
    name: str
    project: str
    into: str


class ImportConflicts(ResponseModel):
    """All conflicts, counted; the first of them, listed."""

    count: int = Field(ge=0)
    shown: list[ImportConflict]


class IgnoredPart(ResponseModel):
    """A part of the file that Pigi does not import."""

    pointer: str


class IgnoredParts(ResponseModel):
    """All such parts, counted; the first of them, listed."""

    count: int = Field(ge=0)
    shown: list[IgnoredPart]


class ImportLimit(ResponseModel):
    """A limit that the import would pass: it cannot be accepted before there is room."""

    code: str
    limit: int
    wanted: int
    project: str


class ActiveCounts(ResponseModel):
    """How many more would be in use."""

    projects: int = Field(ge=0)
    resources: int = Field(ge=0)


class StoringCounts(ResponseModel):
    """What accepting it would count towards the plan's limits."""

    bytes: int = Field(ge=0)
    projects: int = Field(ge=0)
    resources: int = Field(ge=0)
    writes: int = Field(ge=0)


class ImportReport(ResponseModel):
    """What is in the file, and what accepting it would do; ``same`` are resources that are there already."""

    found: ImportCounts
    created: ImportCounts
    same: int = Field(ge=0)
    projects: ImportedProjects
    conflicts: ImportConflicts
    refused: RefusedEntries
    ignored: IgnoredParts
    limits: list[ImportLimit]
    active: ActiveCounts
    storing: StoringCounts | None = Field(None, description="Null for an import that an earlier release read.")


class ImportLinks(ResponseModel):
    """Where to go from an import; ``acceptance`` is the job that imports it, once there is one."""

    self: str
    job: str
    acceptance: str | None
    accept: str
    discard: str


class ImportSummary(ResponseModel):
    """An import without its report. ``reason`` says why it failed; ``begun`` that a part of it was imported."""

    id: Id
    organisation_id: Id
    state: Literal["reading", "ready", "accepted", "discarded", "failed"]
    format: Literal["json", "zip"] | None
    bytes: int = Field(ge=0)
    reason: str | None
    explanation: ReasonWords | None
    begun: bool
    requested_by: str
    created_at: datetime
    ended_at: datetime | None
    expires_at: datetime
    links: ImportLinks


class Import(ImportSummary):
    """An import; its ``report`` is null until it is ready."""

    report: ImportReport | None


class ImportList(ResponseModel):
    """Imports, newest first; ``next`` is the path of the following page, null on the last."""

    imports: list[ImportSummary]
    next: str | None


ALL = f"{API}/organisations/<organisation>/imports"
ONE = f"{ALL}/<import_id>"
QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}


def upload_import(context: OrganisationContext) -> JobView:
    """Upload a configuration export, or a zip with one in it. Nothing is imported before the import is accepted.

    The answer is the job that reads it; its `links.result` is the import.
    """
    uploads = context.services.uploads
    with uploads.slot(context.caller.organisation_id, context.network):
        pieces = uploads.pieces(context.application.settings.import_bytes)
        upload = Upload(context.application, context.caller, _announced())
        with context.services.permits.released(context.network):
            upload.take(pieces)
    return upload.close(context.record_job)


def _announced() -> int | None:
    """The file's size, where it is the whole body."""
    return None if request.mimetype == FORM else request.content_length


def show_imports(context: OrganisationContext) -> Reply:
    """An organisation's imports of the last seven days, newest first, without their reports."""
    query = read_query(QUERY)
    found = list_imports(context.application, context.caller, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda one: one.id)
    return reply(as_json({"imports": [_summary(context, one) for one in shown], "next": following}))


def show_import(context: OrganisationContext, import_id: str) -> Reply:
    """An import with its report."""
    return _shown(context, read_import(context.application, context.caller, import_id))


def take_import(context: OrganisationContext, import_id: str) -> JobView:
    """Make an import configuration. Repeating it is answered with the job that does."""
    read_body(Nothing)
    return accept_import(context.application, context.caller, import_id, context.record_job)


def drop_import(context: OrganisationContext, import_id: str) -> Reply:
    """Give an import up and remove its file now; repeating it is harmless."""
    read_body(Nothing)
    return _shown(context, discard_import(context.application, context.caller, import_id))


def _discarded_before(context: OrganisationContext, _location: str, import_id: str) -> Reply:
    return show_import(context, import_id)


def _shown(context: OrganisationContext, view: ImportView) -> Reply:
    return reply(as_json({**_summary(context, view), "report": view.report}))


def _summary(context: OrganisationContext, view: ImportView) -> dict[str, Any]:
    own = f"{API}/organisations/{context.caller.organisation_id}/imports/{view.id}"
    return {
        "id": view.id,
        "organisation_id": context.caller.organisation_id,
        "state": view.state,
        "format": view.format,
        "bytes": view.size,
        "reason": view.reason,
        "explanation": explanation(view.reason),
        "begun": view.begun,
        "requested_by": view.requested_by,
        "created_at": moment(view.created_at),
        "ended_at": moment(view.ended_at),
        "expires_at": moment(view.expires_at),
        "links": {
            "self": own,
            "job": job_path(view.job_id),
            "acceptance": job_path(view.accept_job_id) if view.accept_job_id else None,
            "accept": f"{own}/accept",
            "discard": f"{own}/discard",
        },
    }


def _fingerprint() -> bytes:
    """A file is not read twice: what is announced of it stands for it."""
    return f"{request.content_type} {request.content_length}".encode()


READ = Action.IMPORT
_ONE = ResponseSpec(200, "The import", Import, headers=("Idempotency-Replayed",))

ROUTES = (
    Route(
        "POST",
        ALL,
        upload_import,
        Action.IMPORT,
        RouteKind.JOB,
        "Upload a configuration export",
        JOB_RESPONSES,
        problems=("import_too_large", "too_many_imports", "too_many_today", "uploads_busy", "organisation_closed"),
        takes_file=True,
        fingerprint=_fingerprint,
    ),
    Route(
        "GET",
        ALL,
        show_imports,
        READ,
        RouteKind.READ,
        "List imports",
        (ResponseSpec(200, "A page of imports", ImportList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route("GET", ONE, show_import, READ, RouteKind.READ, "Read an import", (ResponseSpec(200, "The import", Import),)),
    Route(
        "POST",
        f"{ONE}/accept",
        take_import,
        Action.IMPORT,
        RouteKind.JOB,
        "Accept an import",
        JOB_RESPONSES,
        problems=(
            "import_not_ready",
            "import_over",
            "too_many_projects",
            "too_many_kept",
            "plan_limit",
            "organisation_closed",
        ),
        body=Nothing,
    ),
    Route(
        "POST",
        f"{ONE}/discard",
        drop_import,
        Action.IMPORT,
        RouteKind.WRITE,
        "Discard an import",
        (_ONE,),
        problems=("import_over", "import_under_way"),
        body=Nothing,
        replay=_discarded_before,
    ),
)
