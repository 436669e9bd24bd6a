"""What operators do with jobs over HTTP: retrying and cancelling, one by one and all that match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from pigi.domain.reasons import REASONS
from pigi.jobs.kinds import CATALOGUE
from pigi.operations.audit import record
from pigi.operations.jobs import BATCH, Matching, cancel_all, cancel_job, read_job, retry_all, retry_job
from web.http.replies import API, as_json, reply
from web.http.requests import read_body
from web.http.routes import JOB_RESPONSES, ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Id, Nothing, RequestModel, ResponseModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.model.view import JobView
    from pigi.operations.jobs import Outcome
    from pigi.store.sessions import ControlSession
    from web.http.context import AccountContext
    from web.http.replies import Reply

JOBS = f"{API}/operate/jobs"


def _kind(name: str) -> str:
    if name not in CATALOGUE:
        message = "must be a kind of job, such as billing.sync"
        raise ValueError(message)
    return name


def _reason(code: str) -> str:
    if code not in REASONS:
        message = "must be the code of a reason, such as provider_overloaded"
        raise ValueError(message)
    return code


JobKind = Annotated[str, AfterValidator(_kind), Field(json_schema_extra={"enum": sorted(CATALOGUE)})]
ReasonCode = Annotated[str, AfterValidator(_reason), Field(json_schema_extra={"enum": sorted(REASONS)})]


class RetryMatching(RequestModel):
    """Retry failed jobs: all of them, or those that match each field that is given."""

    kind: JobKind | None = Field(default=None, description="A kind of job, such as billing.sync.")
    organisation: Id | None = Field(default=None, description="An organisation's id.")
    reason: ReasonCode | None = Field(default=None, description="The code with which they failed.")


class CancelMatching(RequestModel):
    """Cancel jobs of a kind that wait or run."""

    kind: JobKind = Field(description="A kind of job, such as billing.sync.")
    organisation: Id | None = Field(default=None, description="An organisation's id.")


class ActedOn(ResponseModel):
    """What came of an act on many jobs. The same request again goes on with those that are left."""

    done: int = Field(ge=0, le=BATCH, description="Jobs that were acted on.")
    refused: dict[str, int] = Field(description="Jobs that could not be, by the code of why.")
    more: bool = Field(description=f"Whether more match: one request acts on up to {BATCH}.")


def retry_one_job(context: AccountContext, job: str) -> JobView:
    """Do a failed job again, under the same id, so that what it did already is not done twice.

    Not one that needs what somebody wrote for it: that is theirs to write again.
    """
    read_job(context.application, job, None)
    read_body(Nothing)
    return retry_job(context.application, job, None, None, _recording(context, "operator.job_retried", answer=True))


def cancel_one_job(context: AccountContext, job: str) -> JobView:
    """Cancel a job: one that waits ends now, one that runs at its next checkpoint."""
    read_job(context.application, job, None)
    read_body(Nothing)
    return cancel_job(context.application, job, None, _recording(context, "operator.job_cancelled", answer=True))


def retry_matching_jobs(context: AccountContext) -> Reply:
    """Retry failed jobs, the oldest first. Asked twice, each is done once."""
    body = read_body(RetryMatching)
    wanted = Matching(body.kind, body.organisation, body.reason)
    return _acted(retry_all(context.application, wanted, _recording(context, "operator.job_retried")))


def cancel_matching_jobs(context: AccountContext) -> Reply:
    """Cancel jobs of a kind, the oldest first."""
    body = read_body(CancelMatching)
    wanted = Matching(body.kind, body.organisation)
    return _acted(cancel_all(context.application, wanted, _recording(context, "operator.job_cancelled")))


def _acted(outcome: Outcome) -> Reply:
    return reply(as_json({"done": outcome.done, "refused": outcome.refused, "more": outcome.more}))


def _recording(context: AccountContext, act: str, *, answer: bool = False) -> Callable[[ControlSession, JobView], None]:
    """Record each act in the audit chain, in the transaction that does it (P19)."""

    def note(session: ControlSession, job: JobView) -> None:
        record(
            session, context.application, act, context.account.name, job.organisation_id, f"job:{job.id}", job=job.id
        )
        if answer:
            context.record_job(session, job)

    return note


_MATCHING = (ResponseSpec(200, "What came of it", ActedOn, headers=("Idempotency-Replayed",)),)
ROUTES = (
    Route(
        "POST",
        f"{JOBS}/<job>/retry",
        retry_one_job,
        Who.OPERATOR,
        RouteKind.JOB,
        "Retry a failed job of any organisation",
        JOB_RESPONSES,
        problems=("not_found", "not_retryable", "purpose_required"),
        body=Nothing,
        body_required=False,
    ),
    Route(
        "POST",
        f"{JOBS}/<job>/cancel",
        cancel_one_job,
        Who.OPERATOR,
        RouteKind.JOB,
        "Cancel a job of any organisation",
        JOB_RESPONSES,
        problems=("not_found",),
        body=Nothing,
        body_required=False,
    ),
    Route(
        "POST",
        f"{JOBS}/retry",
        retry_matching_jobs,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Retry failed jobs that match",
        _MATCHING,
        body=RetryMatching,
    ),
    Route(
        "POST",
        f"{JOBS}/cancel",
        cancel_matching_jobs,
        Who.OPERATOR,
        RouteKind.WRITE,
        "Cancel jobs that match",
        _MATCHING,
        body=CancelMatching,
    ),
)
