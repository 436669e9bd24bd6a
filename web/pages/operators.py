"""The operators' console: states and counts, never content."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from pigi.clock import now
from pigi.domain.controls import State
from pigi.domain.job_state import ENDED, JobState
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.billing import oversee
from pigi.operations.contact import count_tickets
from pigi.operations.dashboards import count_jobs, jobs_by_hour
from pigi.operations.deletion import late_deletions
from pigi.operations.exports import count_preparing
from pigi.operations.health import readiness
from pigi.operations.jobs import (
    BATCH,
    count_late_schedules,
    count_unknown,
    list_jobs,
    read_job,
    read_queues,
    read_schedules,
    unknown_effects,
)
from pigi.operations.keys import keys_to_replace
from pigi.operations.organisations import names_of, oversee_organisations
from pigi.operations.policy import policy_history
from pigi.operations.privacy_requests import overdue_requests
from pigi.operations.promises import promises_standing
from pigi.operations.retention import list_holds, report_classes
from schedules.timetable import TIMETABLE
from web.http.routes import Who
from web.pages.shell.layout import draw, page
from web.pages.shell.query import PAGE, id_of, one_of, paged

if TYPE_CHECKING:
    from pigi.operations.billing import Oversight
    from pigi.operations.jobs import WantedJobs
    from web.http.context import AccountContext
    from web.http.replies import Reply

MOST = 10
PLOT = 100
"""Height of the chart, in its own units."""
LATE = timedelta(hours=1)
"""Events of Stripe's are processed in seconds: one that waits so long is stuck."""


def operate_page(context: AccountContext) -> Reply:
    """The state of the installation."""
    application = context.application
    counts = count_jobs(application)
    oversight = oversee(application)
    hours = jobs_by_hour(application)
    failed = list_jobs(application, None, state=JobState.FAILED, limit=MOST)
    holds = [hold for hold in list_holds(application) if hold.state != "released"]
    return draw(
        context,
        "operators/overview.html",
        here="",
        health=readiness(application),
        counts=[(state, counts.get(state, 0)) for state in JobState],
        failed=failed,
        names=names_of(application, [job.organisation_id for job in failed]),
        queues=read_queues(application),
        hours=hours,
        most=max(hour.total for hour in hours),
        plot=PLOT,
        unknown=count_unknown(application),
        late_schedules=count_late_schedules(application, TIMETABLE),
        late_deletions=late_deletions(application),
        preparing=count_preparing(application),
        late_records=sum(line.overdue for line in report_classes(application, counted=False)),
        policy_versions=len(policy_history(application).versions),
        requests_overdue=overdue_requests(application),
        tickets=count_tickets(application),
        tickets_overdue=count_tickets(application, overdue=True),
        keys_to_replace=keys_to_replace(application),
        lines_wrong=sum(standing.state in {State.FAILING, State.STALE} for standing in promises_standing(application)),
        holds=sum(hold.state == "active" for hold in holds),
        holds_to_do=sum(hold.overdue or hold.state == "proposed" for hold in holds),
        billing=oversight,
        billing_late=_late(oversight),
    )


def _late(oversight: Oversight) -> bool:
    return oversight.oldest_waiting is not None and oversight.oldest_waiting < now() - LATE


def operate_jobs_page(context: AccountContext) -> Reply:
    """Everybody's jobs, newest first, and what can be done with those that match."""
    chosen = {
        "state": one_of("state", list(JobState)),
        "kind": one_of("kind", list(CATALOGUE)),
        "organisation": id_of("organisation"),
        "all": one_of("all", ("yes",)),
    }
    wanted: WantedJobs = {
        "state": chosen["state"] or None,
        "kind": chosen["kind"] or None,
        # What failed is never left out: a sweep that fails matters more than a draft.
        "housekeeping": bool(chosen["all"]) or chosen["state"] == JobState.FAILED,
    }
    pages = paged(partial(list_jobs, context.application, chosen["organisation"], **wanted), "id")
    of_whom = [chosen["organisation"], *(job.organisation_id for job in pages.items)]
    return draw(
        context,
        "operators/jobs.html",
        here="",
        jobs=pages.items,
        pages=pages,
        names=names_of(context.application, of_whom),
        chosen=chosen,
        narrowed=any(chosen.values()),
        states=list(JobState),
        ended=ENDED,
        kinds=sorted(CATALOGUE),
        batch=BATCH,
        retryable={kind.name for kind in CATALOGUE.values() if kind.restore is None},
    )


def operate_job_page(context: AccountContext, job: str) -> Reply:
    """A job of any organisation: its state, timeline and effects."""
    view = read_job(context.application, job, None)
    kind = CATALOGUE.get(view.kind)
    return draw(
        context,
        "operators/job.html",
        here="",
        job=view,
        names=names_of(context.application, [view.organisation_id]),
        failed=view.state == JobState.FAILED and not view.buried,
        retryable=kind is not None and kind.restore is None,
    )


def operate_effects_page(context: AccountContext) -> Reply:
    """Effects of which nobody can say whether they were had."""
    effects = unknown_effects(context.application, limit=PAGE)
    names = names_of(context.application, [effect.organisation_id for effect in effects])
    return draw(context, "operators/effects.html", here="", effects=effects, names=names, limit=PAGE)


def operate_schedules_page(context: AccountContext) -> Reply:
    """What Pigi does unasked: when it last did, and when it does next."""
    return draw(context, "operators/schedules.html", here="", schedules=read_schedules(context.application, TIMETABLE))


def operate_organisations_page(context: AccountContext) -> Reply:
    """Organisations by name and size, newest first."""
    pages = paged(partial(oversee_organisations, context.application), "id")
    return draw(context, "operators/organisations.html", here="", organisations=pages.items, pages=pages)


ROUTES = (
    page("/operate", operate_page, Who.OPERATOR),
    page("/operate/jobs", operate_jobs_page, Who.OPERATOR),
    page("/operate/jobs/<job>", operate_job_page, Who.OPERATOR),
    page("/operate/effects", operate_effects_page, Who.OPERATOR),
    page("/operate/schedules", operate_schedules_page, Who.OPERATOR),
    page("/operate/organisations", operate_organisations_page, Who.OPERATOR),
)
