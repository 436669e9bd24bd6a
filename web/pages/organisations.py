"""Pages of an organisation: choosing one, its overview, its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.access import Action
from pigi.domain.job_state import ENDED, JobState
from pigi.domain.retention import GRACE
from pigi.operations.configuration import list_projects
from pigi.operations.dashboards import latest_resources
from pigi.operations.deletion import stopped_jobs
from pigi.operations.generations import waiting_drafts
from pigi.operations.jobs import list_jobs
from pigi.operations.organisations import closing_organisations, organisations_of, read_organisation
from web.http.replies import Reply
from web.http.routes import Who
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.names import drafts_of

if TYPE_CHECKING:
    from web.http.context import AccountContext, OrganisationContext

LOOKED_AT = 30
"""Jobs that the overview looks at."""
FEW = 6


def dashboard_page(context: AccountContext) -> Reply:
    """The only organisation, or a choice of them, with those that can be restored."""
    mine = organisations_of(context.application, context.account, deleted=True)
    deleted = [one for one in mine if one.purge_at is not None]
    closing = closing_organisations(context.application, context.account)
    sole = len(mine) == 1 and not deleted and not closing
    there = "/operate" if context.account.operator else f"/o/{mine[0].id}" if sole else None
    if there is not None:
        return Reply(status=303, headers={"Location": there, "Cache-Control": "no-store"})
    return draw(context, "organisations/choose.html", here="", deleted=deleted, closing=closing, now=now())


def new_organisation_page(context: AccountContext) -> Reply:
    """Make an organisation."""
    return draw(context, "organisations/new.html", here="")


def overview_page(context: OrganisationContext) -> Reply:
    """What waits for somebody, what is running, and what changed."""
    # Not those that come by themselves by the dozen: nobody requested them, and none says what to do next.
    jobs = list_jobs(context.application, context.caller.organisation_id, housekeeping=False, limit=LOOKED_AT)
    projects = list_projects(context.application, context.caller, limit=FEW)
    drafts = waiting_drafts(context.application, context.caller, FEW)
    active = [job for job in jobs if not job.ended]
    return draw(
        context,
        "organisations/overview.html",
        here="overview",
        jobs=jobs,
        drafts=drafts,
        projects=projects,
        active=active[:FEW],
        failed=[job for job in jobs if job.state == JobState.FAILED][:FEW],
        changes=latest_resources(context.application, context.caller, FEW),
        about=drafts_of(context, jobs),
        ended=[job for job in jobs if job.state in ENDED][:FEW],
        polls=bool(active),
        first_run=not projects or not jobs,
    )


def organisation_page(context: OrganisationContext) -> Reply:
    """Its name, leaving it, and deleting it."""
    view = read_organisation(context.application, context.caller)
    return draw(
        context,
        "organisations/settings.html",
        here="settings",
        organisation=view,
        grace=GRACE.days,
        stopped=stopped_jobs(context.application, view.id),
    )


ROUTES = (
    page("/dashboard", dashboard_page, Who.PERSON),
    page("/organisations/new", new_organisation_page, Who.PERSON),
    page(OWN, overview_page, Action.WORKSPACE_READ),
    page(f"{OWN}/settings", organisation_page, Action.WORKSPACE_READ),
)
