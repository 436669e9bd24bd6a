"""Pages of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.domain.access import Action
from pigi.domain.job_state import JobState
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.access import may_change
from pigi.operations.jobs import list_jobs, read_job
from web.pages.asked import PAGE, id_of, older, one_of
from web.pages.names import drafts_of
from web.pages.organisations import OWN
from web.pages.route import page
from web.pages.shell import draw

if TYPE_CHECKING:
    from pigi.jobs.view import JobView
    from web.call import Call
    from web.replies import Reply

KINDS = (
    "generations.draft", "mail.send", "billing.checkout", "billing.portal", "billing.sync", "billing.contact",
    "organisations.migrate",
)  # fmt: skip
"""Kinds of job that an organisation sees among its own."""


def jobs_page(call: Call) -> Reply:
    """Jobs, newest first."""
    chosen = {"state": one_of("state", list(JobState)), "kind": one_of("kind", KINDS)}
    found = list_jobs(
        call.application,
        call.caller.organisation_id,
        state=chosen["state"] or None,
        kind=chosen["kind"] or None,
        limit=PAGE + 1,
        before=id_of("before"),
    )
    jobs, following = older(found, "id")
    return draw(
        call,
        "jobs/list.html",
        here="jobs",
        jobs=jobs,
        about=drafts_of(call, jobs),
        next=following,
        chosen=chosen,
        states=list(JobState),
        kinds=KINDS,
        polls=any(not job.ended for job in jobs),
        here_path=request.full_path.rstrip("?"),
    )


def job_page(call: Call, job: str) -> Reply:
    """A job: how it stands, how it went, what it did."""
    view = read_job(call.application, job, call.caller.organisation_id)
    call.facts.job_id = view.id
    kind = CATALOGUE.get(view.kind)
    return draw(
        call,
        "jobs/job.html",
        here="jobs",
        job=view,
        about=drafts_of(call, [view]),
        changeable=may_change(call.caller, view.kind),
        retryable=_retryable(view),
        retry_needs=kind.retry_needs if kind else None,
    )


def _retryable(job: JobView) -> bool:
    return job.state == JobState.FAILED and not job.buried and job.kind in CATALOGUE


ROUTES = (
    page(f"{OWN}/jobs", jobs_page, Action.JOBS_READ),
    page(f"{OWN}/jobs/<job>", job_page, Action.JOBS_READ),
)
