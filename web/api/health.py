"""Liveness and readiness, for balancers, supervisors and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.errors import Refused
from pigi.operations.health import readiness
from web.http.replies import as_json, reply
from web.http.routes import ResponseSpec, Route, RouteKind, Who
from web.http.schemas import Health

if TYPE_CHECKING:
    from pigi.operations.health import Check
    from web.http.context import RequestContext
    from web.http.replies import Reply


def alive(_context: RequestContext) -> Reply:
    """This process answers."""
    return reply(as_json({"status": "ok", "checks": []}))


def ready(context: RequestContext) -> Reply:
    """Whether jobs that are asked for now will be done; raises Refused ``not_ready``."""
    health = readiness(context.application)
    checks = [_told(check) for check in health.checks]
    if not health.ready:
        raise Refused("not_ready", checks=checks)  # type: ignore[arg-type]  # numbers and truth values besides text
    return reply(as_json({"status": "ready", "checks": checks}))


def _told(check: Check) -> dict[str, str | bool | float | None]:
    return {"name": check.name, "ok": check.ok, "age_seconds": check.age_seconds}


ROUTES = (
    Route(
        "GET",
        "/healthz",
        alive,
        Who.ANYONE,
        RouteKind.PAGE,
        "Is this process alive?",
        (ResponseSpec(200, "It is", Health),),
    ),
    Route(
        "GET",
        "/readyz",
        ready,
        Who.ANYONE,
        RouteKind.PAGE,
        "Will jobs be done?",
        (ResponseSpec(200, "The pump and every queue did their work lately", Health),),
        problems=("not_ready",),
    ),
)
