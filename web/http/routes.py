"""What a route declares: its path, its view, who may call it, and all that the API document says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from pigi.domain.access import Action
    from web.http.replies import Reply


class Who(Enum):
    """Who may call a route that belongs to no organisation; the others name their `pigi.domain.access.Action`."""

    ANYONE = "anyone"
    PERSON = "whoever is signed in"
    OPERATOR = "an operator who is signed in"


class RouteKind(Enum):
    """What a route is, which settles the statuses and headers that all of its sort share."""

    PAGE = "page"
    READ = "read"
    CHANGE = "change"
    """Unsafe, and answered with a job: honours Idempotency-Key and ``Prefer: wait``."""
    MAKE = "make"
    """Unsafe, and done when answered: honours Idempotency-Key."""
    OPEN = "open"
    """Unsafe, by people who are not signed in, so that no key of theirs could be told from another's."""
    SIGNED = "signed"
    """Unsafe, by a service that signs what it sends; of what is wrong with it, it is told nothing."""


@dataclass(frozen=True)
class Response:
    """One good answer: its status, what its body is (a model, or a media type with no schema of its own)."""

    status: int
    says: str
    model: type[BaseModel] | None = None
    media_types: tuple[str, ...] = ("application/json",)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Route:
    """One method of one path.

    Attributes:
        path: in Flask's form, ``<name>`` for a part that varies.
        problems: codes that it may refuse with, beyond those of its `Kind` and of `Who`.
        query: its query parameters; anything else in the query is refused.
        accepts: header parameters by name, from `web.http.openapi.PARAMETERS`.
        most_bytes: largest body, in bytes, where it is not `web.http.bodies.MOST_BYTES`.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    view: Callable[..., Reply]
    who: Who | Action
    kind: RouteKind
    summary: str
    answers: tuple[Response, ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: dict[str, dict[str, Any]] = field(default_factory=dict)
    accepts: tuple[str, ...] = ()
    most_bytes: int | None = None
    notes: str = ""
    documented: bool = True

    @property
    def endpoint(self) -> str:
        """Its name inside Flask, also its operationId."""
        return self.view.__name__
