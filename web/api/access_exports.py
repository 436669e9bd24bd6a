"""A person's own access exports over HTTP (GDPR article 15): asking for one, how far it is, and its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.access import Person
from pigi.operations.exports import Owner, find_owner, is_signed, list_exports, open_file, read_export, request_access
from web.api.exports import SIGNATURE, Export, ExportList, export_facts, read_signature
from web.http.context import AccountContext
from web.http.downloads import DOWNLOAD_ACCEPTS, DOWNLOAD_PROBLEMS, download_responses, serve
from web.http.replies import API, as_json, reply
from web.http.requests import BEFORE_ID, LIMIT, limit_of, page, read_body, read_query
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Nothing

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView
    from web.http.context import RequestContext, RequestFacts, Services
    from web.http.replies import Reply

OWN = f"{API}/me/exports"
QUERY: dict[str, dict[str, Any]] = {"limit": LIMIT, "before": BEFORE_ID}


def ask_for_own_export(context: AccountContext) -> JobView:
    """Ask for a copy of all that is held about you: a zip with a page to read, and the same for programs."""
    read_body(Nothing)
    return request_access(context.application, context.account.account_id, context.requester, context.record_job)


def show_own_exports(context: AccountContext) -> Reply:
    """Your exports, newest first."""
    query = read_query(QUERY)
    owner = Owner(account_id=context.account.account_id)
    found = list_exports(context.application, owner, limit=limit_of(query) + 1, before=query.get("before"))
    shown, following = page(query, found, lambda export: export.id)
    facts = [export_facts(context.application, view, f"{OWN}/{view.id}") for view in shown]
    return reply(as_json({"exports": facts, "next": following}))


def show_own_export(context: AccountContext, export: str) -> Reply:
    """An export of yours: how far it is, and where its file is once it is ready."""
    view = read_export(context.application, Owner(account_id=context.account.account_id), export)
    context.facts.job_id = view.job_id
    return reply(as_json(export_facts(context.application, view, f"{OWN}/{view.id}")))


def fetch_own_export(context: AccountContext, export: str) -> Reply:
    """The export's file, for you and for whoever has a signed link to it (`links.file`)."""
    read_query(SIGNATURE)
    file = open_file(context.application, Owner(account_id=context.account.account_id), export)
    context.facts.job_id = file.export.job_id
    return serve(context, file)


def _by_link(services: Services, facts: RequestFacts, arguments: dict[str, Any]) -> RequestContext | None:
    """Let in whoever has a link to this export, as the person whose it is and to nothing else."""
    link = read_signature()
    owner = None if link is None else find_owner(services.application, arguments["export"])
    if link is None or owner is None or owner.account_id is None:
        return None
    if not is_signed(services.application, owner, arguments["export"], link):
        return None
    return AccountContext(services, facts, Person(owner.account_id, ""))


ROUTES = (
    Route(
        "POST",
        OWN,
        ask_for_own_export,
        Who.PERSON,
        RouteKind.JOB,
        "Ask for a copy of your data",
        JOB_RESPONSES,
        problems=("too_many_in_flight",),
        body=Nothing,
    ),
    Route(
        "GET",
        OWN,
        show_own_exports,
        Who.PERSON,
        RouteKind.READ,
        "List your exports, newest first",
        (ResponseSpec(200, "A page of exports", ExportList),),
        problems=("invalid",),
        query=QUERY,
    ),
    Route(
        "GET",
        f"{OWN}/<export>",
        show_own_export,
        Who.PERSON,
        RouteKind.READ,
        "Read an export of yours",
        (ResponseSpec(200, "The export", Export),),
        problems=("not_found",),
    ),
    Route(
        "GET",
        f"{OWN}/<export>/file",
        fetch_own_export,
        Who.PERSON,
        RouteKind.READ,
        "Fetch the file of an export of yours",
        download_responses("application/zip"),
        problems=("not_found", *DOWNLOAD_PROBLEMS),
        query=SIGNATURE,
        accepts=DOWNLOAD_ACCEPTS,
        signed=_by_link,
    ),
)
