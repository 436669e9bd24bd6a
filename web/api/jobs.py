"""Jobs over HTTP: reading, listing, following, cancelling and retrying."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.domain.job_state import JobState
from pigi.errors import Refused
from pigi.ids import is_id
from pigi.operations.jobs import BY_KEYS, BY_PIGI, cancel_job, count_by_state, list_jobs, read_job, retry_job
from web.http.context import AccountContext, OrganisationContext
from web.http.replies import API, as_json, job_summary, reply, shown
from web.http.requests import AFTER_ID, BEFORE_ID, LIMIT, both_ways, moment_of, read_body, read_query
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind
from web.http.schemas import Job, JobList, Nothing, RetryRequest
from web.http.streams import EVENTS, stream
from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from typing import Any

    from pigi.jobs.model.view import JobView
    from pigi.operations.jobs import WantedJobs
    from web.http.replies import Reply

_MOMENT = {
    "type": "string",
    "format": "date-time",
    "maxLength": 40,
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[0-9T:.Z+-]*$",
}
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
    "requested_by": {
        "description": f"a pseudonym, such as account:ID; {BY_KEYS}; or {BY_PIGI}, for what neither asked for",
        "schema": {"type": "string", "maxLength": 80, "pattern": r"^[a-z][a-z0-9: -]*$"},
    },
    "since": {"description": "a moment (RFC 3339); those requested then or later", "schema": _MOMENT},
    "until": {"description": "a moment (RFC 3339); those requested before it", "schema": _MOMENT},
    "housekeeping": {
        "description": "yes or no: also what comes by itself and nobody waits for; no if left out",
        "schema": {"type": "string", "enum": ["yes", "no"], "default": "no"},
    },
    "sort": {
        "description": "newest or oldest: which come first; newest if left out",
        "schema": {"type": "string", "enum": ["newest", "oldest"], "default": "newest"},
    },
    "counts": {
        "description": "yes or no: whether to count the jobs in each state; no if left out",
        "schema": {"type": "string", "enum": ["yes", "no"], "default": "no"},
    },
    "limit": LIMIT,
    "before": BEFORE_ID,
    "after": AFTER_ID,
}


def show_jobs(context: OrganisationContext) -> Reply:
    """An organisation's jobs, newest first, without those that come by themselves unless they are asked for.

    ``counts`` are of all that the query asks for but for the state, and at most of the newest 10,000 of them.
    """
    query = read_query(QUERY)
    where = context.caller.organisation_id
    if query.get("organisation", where) != where:
        raise Refused("not_found")
    wanted = _wanted(query)
    read = partial(list_jobs, context.application, where, oldest_first=query.get("sort") == "oldest", **wanted)
    shown = both_ways(query, partial(read, state=query.get("state")), lambda job: job.id)
    found = count_by_state(context.application, where, **wanted) if query.get("counts") == "yes" else None
    counts = None if found is None else {state: found.get(state, 0) for state in JobState}
    jobs = [job_summary(job) for job in shown.items]
    return reply(as_json({"jobs": jobs, "counts": counts, "next": shown.next, "previous": shown.previous}))


def _wanted(query: dict[str, str]) -> WantedJobs:
    return {
        "kind": query.get("kind"),
        "requested_by": query.get("requested_by"),
        "since": moment_of(query, "since"),
        "until": moment_of(query, "until"),
        "housekeeping": query.get("housekeeping") == "yes",
    }


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
