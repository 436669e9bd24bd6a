"""Models of what requests hold and responses show, shared by all nouns.

Requests are validated by their model. Answers are written by `web.http.replies` without validation, since a
request should not pay for a check of our own work; their models are the API document, and the tests hold
every answer to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pigi.domain.job_state import JobState
from pigi.domain.plans import Limit
from web.http.texts import ID_PATTERN, Name, Purpose

ResourceKind = Literal["agent", "mcp-server", "document", "settings"]
Id = Annotated[str, Field(pattern=ID_PATTERN, json_schema_extra={"format": "uuid"})]


def _whole(value: Any) -> Any:
    """To JSON Schema 9.0 is an integer (draft 2020-12, validation, 6.1.1), and some languages send it so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For numbers of clients, after their bounds, or the API document would lose these."""


RoleName = Literal["owner", "admin", "member"]
ScopeName = Literal["configuration:read", "configuration:write", "generations:write", "exports:write"]


class RequestModel(BaseModel):
    """Base of what clients send: unknown fields and wrong types are refused, and errors never show the input."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class GenerationRequest(RequestModel):
    """Ask for a draft of a resource."""

    resource: ResourceKind = Field(description="The kind of resource to draft.")
    name: Name
    purpose: Purpose
    project: Id | None = Field(
        default=None,
        description="Where the draft is meant to go: a name that is taken there is refused before it is written.",
    )


class RetryRequest(RequestModel):
    """Retry a failed job. Generations need their purpose again, since Pigi no longer holds it."""

    purpose: Purpose | None = None


class Nothing(RequestModel):
    """A request that needs no body."""


class ResponseModel(BaseModel):
    """Base of what Pigi answers; the document promises that nothing else is in it."""

    model_config = ConfigDict(extra="forbid")


class Explanation(ResponseModel):
    """A code in words."""

    code: str
    title: str
    advice: str


class ReasonWords(ResponseModel):
    """Why a job stands where it does, and what to do."""

    title: str
    advice: str


class Progress(ResponseModel):
    """How far a job has come; ``note`` is a fixed word of the job's kind."""

    done: int | None
    total: int | None
    note: str | None


class Move(ResponseModel):
    """One line of a job's timeline: ``at`` by the database's clock, ``reason`` a code."""

    number: int = Field(ge=1)
    at: datetime
    state: JobState
    attempt: int = Field(ge=0)
    reason: str | None


class Effect(ResponseModel):
    """Something that the job did to the world, and how it is kept from happening twice."""

    key: str
    state: Literal["intended", "done", "unknown"]
    policy: str
    tries: int = Field(ge=1)
    reference: str | None
    intended_at: datetime
    settled_at: datetime | None


class JobLinks(ResponseModel):
    """Where to go from a job; ``result`` is what it makes, for kinds that make something readable.

    The job that closes a deleted organisation leads to the deletion, and to the receipt that there will be.
    """

    self: str
    events: str
    cancel: str
    retry: str
    result: str | None
    deletion: str | None = None
    receipt: str | None = None


class JobSummary(ResponseModel):
    """A job without its effects. ``buried``: its details are past their retention, only the outcome is left."""

    id: Id
    kind: str
    organisation_id: Id | None
    subject_id: Id | None
    state: JobState
    reason: str | None
    explanation: ReasonWords | None
    requested_by: str | None = Field(
        description="The pseudonym of an account or an API key, `former member`, or the part of Pigi that asked."
    )
    created_at: datetime
    due_at: datetime | None
    next_try_at: datetime | None = Field(description="When a job that is `retrying` is tried again; null of any other.")
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int = Field(ge=0)
    failures: int = Field(ge=0)
    cancel_requested: bool
    progress: Progress | None
    revision: int = Field(ge=0)
    buried: bool
    timeline: list[Move]
    links: JobLinks


class Job(JobSummary):
    """A job."""

    effects: list[Effect]


class JobList(ResponseModel):
    """Jobs in the order asked for; ``next`` is the path of the following page, null on the last.

    ``previous`` is the path of the page before, null on the first. ``counts`` is null unless it was asked for.
    """

    jobs: list[JobSummary]
    counts: dict[JobState, int] | None
    next: str | None
    previous: str | None


class GenerationLinks(ResponseModel):
    """Where to go from a generation."""

    job: str
    accept: str
    discard: str


class Generation(ResponseModel):
    """A generation: its draft once there is one, and the codes of the rules that the draft breaks.

    ``state``, ``reason``, ``explanation`` and ``next_try_at`` are its job's.
    """

    id: Id
    organisation_id: Id
    job_id: Id
    resource: ResourceKind
    name: str
    state: JobState | None
    reason: str | None
    explanation: ReasonWords | None
    next_try_at: datetime | None
    draft: dict[str, Any] | None
    findings: list[Any]
    instruction: str | None
    model: str | None
    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    created_at: datetime
    drafted_at: datetime | None
    links: GenerationLinks


class Flaw(ResponseModel):
    """One thing wrong with a request: where, as a JSON pointer (RFC 6901) or a parameter's name, and what.

    Of what looks like a secret, ``line`` counts the lines of that text from 1, ``kind`` says what it looks like, and
    ``slot`` is where a secret slot could stand in its place; ``-`` is a new last entry. If the value is an example,
    send the same again with ``example`` in the header `Pigi-Examples`. Without ``example`` it is a secret beyond doubt.
    """

    pointer: str | None = None
    parameter: str | None = None
    message: str
    slot: str | None = None
    line: int | None = Field(None, ge=1)
    kind: str | None = None
    example: str | None = None
    rule: str | None = Field(None, description="The id of the rule that is broken; GET …/rules lists them.")


class Check(ResponseModel):
    """One part of Pigi: whether it is well, and how many seconds ago it last showed it (null: never, or no matter)."""

    name: str
    ok: bool
    age_seconds: float | None


class Problem(BaseModel):
    """A problem document (RFC 9457). Branch on ``code``; ``detail`` says what to do."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A path, resolved against the server, that explains the problem.")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str = Field(description="The request's id, as in X-Request-ID.")
    code: str
    errors: list[Flaw] | None = None
    checks: list[Check] | None = None
    limit: int | None = None
    plan: str | None = Field(None, description="The organisation's plan, by its title, if `limit` is the plan's.")
    what: Limit | None = Field(None, description="What the plan does not allow more of.")


class Health(ResponseModel):
    """Whether Pigi is well."""

    status: Literal["ok", "ready"]
    checks: list[Check]
