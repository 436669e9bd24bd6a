"""Problem documents (RFC 9457), and the page behind each one's ``type``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from pigi.domain.reasons import REASONS, explain
from pigi.errors import Refused
from web.pages.shell import draw
from web.replies import as_json, reply
from web.routes import Answer, Kind, Route, Who
from web.schemas import Explanation

if TYPE_CHECKING:
    from web.call import Visit
    from web.replies import Reply

MEDIA_TYPE = "application/problem+json"


def problem(code: str, status: int, request_id: str, details: dict[str, Any]) -> Reply:
    """The problem document of a code; ``details`` are further members, never content."""
    return reply(problem_text(code, status, request_id, details), status, MEDIA_TYPE)


def problem_text(code: str, status: int, request_id: str, details: dict[str, Any]) -> str:
    """`problem` as text."""
    reason = explain(code)
    return as_json(
        {
            "type": f"/problems/{code}",
            "title": reason.title,
            "status": status,
            "detail": reason.advice,
            "instance": request_id,
            "code": code,
            **details,
        }
    )


def explain_problem(visit: Visit, code: str) -> Reply:
    """What a code means and what to do, for people or for programs."""
    if code not in REASONS:
        raise Refused("not_found")
    reason = explain(code)
    if request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html":
        return draw(visit, "problem.html", code=code, reason=reason)
    return reply(as_json({"code": code, "title": reason.title, "advice": reason.advice}))


ROUTES = (
    Route(
        "GET",
        "/problems/<code>",
        explain_problem,
        Who.ANYONE,
        Kind.PAGE,
        "Explain a problem's type or a job's reason",
        (Answer(200, "What the code means and what to do", Explanation, ("application/json", "text/html")),),
        problems=("not_found",),
    ),
)
