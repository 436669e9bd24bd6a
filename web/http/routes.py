"""What a route declares: its path, its view, who may call it, and all that the API document says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from web.http.schemas import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from pigi.domain.access import Action
    from pigi.jobs.model.view import JobView
    from web.http.context import RequestContext, RequestFacts, Services
    from web.http.replies import Reply


class Who(Enum):
    """Who may call a route that belongs to no organisation; the others name their `pigi.domain.access.Action`."""

    ANYONE = "anyone"
    PERSON = "whoever is signed in"
    OPERATOR = "an operator who is signed in"
    KNOWN = "whoever is signed in, or has an API key"


class RouteKind(Enum):
    """What a route is, which settles the statuses and headers that all of its sort share."""

    PAGE = "page"
    READ = "read"
    JOB = "job"
    """Unsafe, and answered with a job, which its view returns: honours Idempotency-Key and ``Prefer: wait``."""
    WRITE = "write"
    """Unsafe, and done when answered: honours Idempotency-Key."""
    PUBLIC_WRITE = "public write"
    """Unsafe, by people who are not signed in, so that no key of theirs could be told from another's."""
    WEBHOOK = "webhook"
    """Unsafe, by a service that signs what it sends; of what is wrong with it, it is told nothing."""


HONOUR_KEYS = frozenset({RouteKind.JOB, RouteKind.WRITE})
"""What acts once for each Idempotency-Key."""


@dataclass(frozen=True)
class ResponseSpec:
    """A good response as the API document has it: its body is a model, or a media type with no schema of its own."""

    status: int
    description: str
    model: type[BaseModel] | None = None
    media_types: tuple[str, ...] = ("application/json",)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """One method of one path.

    Attributes:
        path: in Flask's form, ``<name>`` for a part that varies.
        problems: codes that it may refuse with, beyond those of its kind and of `Who`.
        query: its query parameters; anything else in the query is refused.
        accepts: header parameters by name, from `web.http.openapi.PARAMETERS`.
        replay: what answers a repeat, given the context, the first response's Location and the view's arguments.
        signed: what lets in whoever has a signed link, given the services, the facts and the view's arguments, of which
            it takes the organisation; None if the link does not hold: callers are then identified as everywhere.
        fingerprint: what stands for a body with a password in it, of which no fast hash may be kept.
        confirmed: whether the password of a session must have been given of late (`CONFIRMED_FOR`).
        for_deleted: whether somebody who deleted their account may call it while they can still restore it.
        without_factor: whether an operator may call it who has no second factor yet.
        most_bytes: largest body, in bytes, where it is not `web.http.requests.MOST_BYTES`.
        takes_file: its body is a file, which the view takes in itself (`web.http.uploads`); all others are received
            before the view is called.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    view: Callable[..., Reply | JobView]
    who: Who | Action
    kind: RouteKind
    summary: str
    responses: tuple[ResponseSpec, ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: dict[str, dict[str, Any]] = field(default_factory=dict)
    accepts: tuple[str, ...] = ()
    confirmed: bool = False
    for_deleted: bool = False
    without_factor: bool = False
    most_bytes: int | None = None
    takes_file: bool = False
    replay: Callable[..., Reply] | None = None
    signed: Callable[[Services, RequestFacts, dict[str, Any]], RequestContext | None] | None = None
    fingerprint: Callable[[], bytes] | None = None
    notes: str = ""
    documented: bool = True

    @property
    def endpoint(self) -> str:
        """Its name inside Flask, also its operationId."""
        return self.view.__name__


JOB_RESPONSES = (
    ResponseSpec(
        202,
        "Accepted; the body is the job as it stands",
        Job,
        headers=("Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied"),
    ),
    ResponseSpec(
        200,
        "The finished job, if `Prefer: wait` was sent and it ended in time",
        Job,
        headers=("Location", "Content-Location", "Idempotency-Replayed", "Preference-Applied"),
    ),
)
"""The good responses of a route whose kind is `RouteKind.JOB`."""
