"""Jobs over HTTP: reading, listing, following, cancelling and retrying."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pigi.domain.access import Action
from pigi.domain.job_state import JobState
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.jobs import cancel_job, list_jobs, read_job, retry_job
from web.http.context import AccountContext, OrganisationContext
from web.http.replies import API, as_json, job_summary, reply, shown
from web.http.requests import read_body, read_query
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind
from web.http.schemas import Job, JobList, Nothing, RetryRequest
from web.http.streams import EVENTS, stream
from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from typing import Any

    from pigi.jobs.model.view import JobView
    from web.http.replies import Reply

PAGE = 50
LARGEST_PAGE = 100

QUERY: dict[str, dict[str, Any]] = {
    "organisation": {
        "description": "the organisation's id; the key's own if left out",
        "schema": {"type": "string", "format": "uuid", "pattern": ID_PATTERN},
    },
    "state": {
        "description": "one of " + ", ".join(JobState),
        "schema": {"type": "string", "enum": list(JobState)},
    },
    "kind": {
        "description": "a kind of job, such as generations.draft",
        "schema": {"type": "string", "maxLength": 40, "pattern": r"^[a-z][a-z._-]*$"},
    },
    "limit": {
        "description": f"a whole number from 1 to {LARGEST_PAGE}; {PAGE} if left out",
        "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
    },
    "before": {
        "description": "the id of the last job of the page before",
        "schema": {"type": "string", "format": "uuid", "pattern": ID_PATTERN},
    },
}


def show_jobs(context: OrganisationContext) -> Reply:
    """An organisation's jobs, newest first."""
    query = read_query(QUERY)
    if query.get("organisation", context.caller.organisation_id) != context.caller.organisation_id:
        raise Refused("not_found")
    limit = int(query.get("limit", PAGE))
    jobs = list_jobs(
        context.application,
        context.caller.organisation_id,
        state=query.get("state"),
        kind=query.get("kind"),
        limit=limit + 1,
        before=query.get("before"),
    )
    page = jobs[:limit]
    following = urlencode({**query, "before": page[-1].id}) if len(jobs) > limit else None
    return reply(
        as_json(
            {
                "jobs": [job_summary(job) for job in page],
                "next": f"{API}/jobs?{following}" if following else None,
            }
        )
    )


def show_job(context: OrganisationContext | AccountContext, job: str) -> Reply:
    """A job with its timeline and effects."""
    context.facts.job_id = _id(job)
    if isinstance(context, AccountContext):
        return shown(read_job(context.application, job, None))
    return shown(read_job(context.application, job, context.caller.organisation_id, deletion=context.deletion))


def follow_job(context: OrganisationContext | AccountContext, job: str) -> Reply:
    """A job's events as they happen. Those of a person's own export cannot be followed: read the job."""
    context.facts.job_id = _id(job)
    if isinstance(context, AccountContext):
        raise Refused("not_found")
    return stream(
        context, read_job(context.application, job, context.caller.organisation_id, deletion=context.deletion)
    )


def cancel(context: OrganisationContext, job: str) -> JobView:
    """Cancel a job: one that waits ends now, one that runs at its next checkpoint."""
    organisation_id = context.caller.organisation_id
    read_job(context.application, _id(job), organisation_id)
    read_body(Nothing)
    return cancel_job(context.application, job, organisation_id, context.record_job)


def retry(context: OrganisationContext, job: str) -> JobView:
    """Do a failed job again, under the same id, so that what it did already is not done twice."""
    organisation_id = context.caller.organisation_id
    read_job(context.application, _id(job), organisation_id)
    purpose = read_body(RetryRequest).purpose
    return retry_job(context.application, job, organisation_id, purpose, context.record_job)


def _id(job: str) -> str:
    if not is_id(job):
        raise Refused("not_found")
    return job


_ONE = ResponseSpec(200, "The job", Job)
ROUTES = (
    Route(
        "GET",
        f"{API}/jobs",
        show_jobs,
        Action.JOBS_READ,
        RouteKind.READ,
        "List jobs, newest first",
        (ResponseSpec(200, "A page of jobs", JobList),),
        problems=("not_found", "invalid"),
        query=QUERY,
    ),
    Route(
        "GET",
        f"{API}/jobs/<job>",
        show_job,
        Action.JOBS_READ,
        RouteKind.READ,
        "Read a job",
        (_ONE,),
        problems=("not_found",),
    ),
    Route(
        "GET",
        f"{API}/jobs/<job>/events",
        follow_job,
        Action.JOBS_READ,
        RouteKind.READ,
        "Follow a job (server-sent events)",
        (
            ResponseSpec(
                200, "Events until the job ends: move, progress, text, end", media_types=("text/event-stream",)
            ),
            ResponseSpec(204, "The client has seen the end: do not reconnect", media_types=()),
        ),
        problems=("not_found",),
        accepts=("Last-Event-ID",),
        notes=EVENTS,
    ),
    Route(
        "POST",
        f"{API}/jobs/<job>/cancel",
        cancel,
        Action.JOBS_CHANGE,
        RouteKind.JOB,
        "Cancel a job",
        JOB_RESPONSES,
        problems=("not_found",),
        body=Nothing,
    ),
    Route(
        "POST",
        f"{API}/jobs/<job>/retry",
        retry,
        Action.JOBS_CHANGE,
        RouteKind.JOB,
        "Retry a failed job",
        JOB_RESPONSES,
        problems=("not_found", "not_retryable", "purpose_required"),
        body=RetryRequest,
    ),
)
