"""The page behind each problem's ``type``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from pigi.domain.reasons import REASONS, explain
from pigi.errors import Refused
from web.http.replies import as_json, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Explanation
from web.pages.shell.layout import draw

if TYPE_CHECKING:
    from web.http.context import RequestContext
    from web.http.replies import Reply


def explain_problem(context: RequestContext, code: str) -> Reply:
    """What a code means and what to do, for people or for programs."""
    if code not in REASONS:
        raise Refused("not_found")
    reason = explain(code)
    if request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html":
        return draw(context, "problem.html", here="", code=code, reason=reason)
    return reply(as_json({"code": code, "title": reason.title, "advice": reason.advice}))


ROUTES = (
    Route(
        "GET",
        "/problems/<code>",
        explain_problem,
        Who.ANYONE,
        RouteKind.PAGE,
        "Explain a problem's type or a job's reason",
        (ResponseSpec(200, "What the code means and what to do", Explanation, ("application/json", "text/html")),),
        problems=("not_found",),
    ),
)
