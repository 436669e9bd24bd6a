"""Pages of an organisation: choosing one, what needs somebody in it, and who has access to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.access import Action, Role, Scope
from pigi.domain.job_state import ENDED, JobState
from pigi.domain.retention import GRACE
from pigi.operations.api_keys import DEFAULT_DAYS, DEFAULT_OVERLAP_DAYS, LONGEST_DAYS, list_keys
from pigi.operations.audit import list_own_entries
from pigi.operations.configuration import list_projects
from pigi.operations.dashboards import latest_resources
from pigi.operations.generations import waiting_drafts
from pigi.operations.jobs import list_jobs
from pigi.operations.mail import list_mails
from pigi.operations.organisations import list_invitations, list_members, organisations_of, read_organisation
from pigi.operations.plans import log_since
from web.http.replies import Reply
from web.http.routes import Who
from web.pages.shell.layout import draw
from web.pages.shell.names import drafts_of, names_in
from web.pages.shell.query import PAGE, id_of, number_of, older
from web.pages.shell.route import page

if TYPE_CHECKING:
    from web.http.context import AccountContext, OrganisationContext

OWN = "/o/<organisation>"
LOOKED_AT = 30
"""Jobs that the overview looks at."""
FEW = 6
SCOPES = (
    (Scope.CONFIGURATION_READ, "Read configuration", "Projects, resources and their revisions."),
    (Scope.CONFIGURATION_WRITE, "Write configuration", "Create, change and archive them; includes reading."),
    (Scope.GENERATIONS_WRITE, "Generate with AI", "Generate drafts; follow, cancel and retry their jobs."),
)


def dashboard_page(context: AccountContext) -> Reply:
    """The only organisation, or a choice of them, with those that can be restored."""
    mine = organisations_of(context.application, context.account, deleted=True)
    deleted = [one for one in mine if one.purge_at is not None]
    there = "/operate" if context.account.operator else f"/o/{mine[0].id}" if len(mine) == 1 and not deleted else None
    if there is not None:
        return Reply(status=303, headers={"Location": there, "Cache-Control": "no-store"})
    return draw(context, "organisations/choose.html", here="", deleted=deleted, now=now())


def new_organisation_page(context: AccountContext) -> Reply:
    """Make an organisation."""
    return draw(context, "organisations/new.html", here="")


def overview_page(context: OrganisationContext) -> Reply:
    """What needs somebody, what goes on, and where to go on."""
    # Stripe has these asked for by the dozen; nobody of the organisation did, and none says what to do next.
    jobs = list_jobs(context.application, context.caller.organisation_id, shown=True, limit=LOOKED_AT)
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
    return draw(context, "organisations/settings.html", here="settings", organisation=view, grace=GRACE.days)


def members_page(context: OrganisationContext) -> Reply:
    """Who belongs to it, and who is invited."""
    may = context.caller.role is not None and context.caller.role.covers(Role.ADMIN)
    grantable = [role for role in Role if context.caller.role is not None and context.caller.role.covers(role)]
    return draw(
        context,
        "organisations/members.html",
        here="members",
        members=list_members(context.application, context.caller),
        invitations=list_invitations(context.application, context.caller) if may else [],
        roles=grantable,
        role_options=[(role, role.capitalize()) for role in grantable],
    )


def api_keys_page(context: OrganisationContext) -> Reply:
    """Keys, and making one."""
    keys = list_keys(context.application, context.caller)
    days = {"usual": DEFAULT_DAYS, "most": LONGEST_DAYS, "overlap": DEFAULT_OVERLAP_DAYS}
    return draw(context, "organisations/api-keys.html", here="keys", keys=keys, scopes=SCOPES, days=days)


def audit_page(context: OrganisationContext) -> Reply:
    """Changes of access, newest first."""
    found = list_own_entries(context.application, context.caller, PAGE + 1, number_of("before"))
    entries, following = older(found, "seq")
    names, since = names_in(context), log_since(context.application, context.caller.organisation_id)
    return draw(
        context, "organisations/audit.html", here="audit", entries=entries, next=following, names=names, since=since
    )


def mails_page(context: OrganisationContext) -> Reply:
    """Mail sent for it, newest first."""
    found = list_mails(context.application, context.caller, limit=PAGE + 1, before=id_of("before"))
    mails, following = older(found, "id")
    return draw(context, "organisations/mails.html", here="mails", mails=mails, next=following)


ROUTES = (
    page("/dashboard", dashboard_page, Who.PERSON),
    page("/organisations/new", new_organisation_page, Who.PERSON),
    page(OWN, overview_page, Action.WORKSPACE_READ),
    page(f"{OWN}/settings", organisation_page, Action.WORKSPACE_READ),
    page(f"{OWN}/members", members_page, Action.MEMBERS_READ),
    page(f"{OWN}/api-keys", api_keys_page, Action.KEYS_READ),
    page(f"{OWN}/audit", audit_page, Action.AUDIT_READ),
    page(f"{OWN}/mails", mails_page, Action.MAIL_READ),
)
