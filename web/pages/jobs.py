"""Pages of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.domain.access import Action
from pigi.domain.job_state import JobState
from pigi.jobs.kinds import CATALOGUE, kind_of
from pigi.operations.access import may_change
from pigi.operations.jobs import list_jobs, read_job
from web.pages.shell.layout import OWN, draw, page
from web.pages.shell.names import drafts_of
from web.pages.shell.query import PAGE, id_of, older, one_of

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView
    from web.http.context import OrganisationContext
    from web.http.replies import Reply


def jobs_page(context: OrganisationContext) -> Reply:
    """Jobs, newest first."""
    kinds = [kind.name for kind in CATALOGUE.values() if kind.listed]
    chosen = {"state": one_of("state", list(JobState)), "kind": one_of("kind", kinds)}
    found = list_jobs(
        context.application,
        context.caller.organisation_id,
        state=chosen["state"] or None,
        kind=chosen["kind"] or None,
        limit=PAGE + 1,
        before=id_of("before"),
    )
    jobs, following = older(found, "id")
    return draw(
        context,
        "jobs/list.html",
        here="jobs",
        jobs=jobs,
        about=drafts_of(context, jobs),
        next=following,
        chosen=chosen,
        states=list(JobState),
        kinds=kinds,
        polls=any(not job.ended for job in jobs),
        here_path=request.full_path.rstrip("?"),
    )


def job_page(context: OrganisationContext, job: str) -> Reply:
    """A job: its state, timeline and effects."""
    view = read_job(context.application, job, context.caller.organisation_id)
    context.facts.job_id = view.id
    kind = kind_of(view.kind)
    return draw(
        context,
        "jobs/job.html",
        here="jobs",
        job=view,
        about=drafts_of(context, [view]),
        changeable=may_change(context.caller, view.kind),
        retryable=_retryable(view),
        retry_needs=kind.retry_needs,
        own_page=kind.path(kind.page, view.subject_id),
    )


def _retryable(job: JobView) -> bool:
    return job.state == JobState.FAILED and not job.buried and job.kind in CATALOGUE


ROUTES = (
    page(f"{OWN}/jobs", jobs_page, Action.JOBS_READ),
    page(f"{OWN}/jobs/<job>", job_page, Action.JOBS_READ),
)
