"""Dispatch: takes a request through the application: its body, a permit, its caller, its view, and back.

Each step is taken here and once. A path that declares nobody who may call it stops `web.app.create_app`.
"""

from __future__ import annotations

import re
import time
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from pigi.domain.access import Action
from pigi.errors import Misconfigured, PigiError, Refused
from pigi.operations.access import still_granted
from pigi.operations.idempotency import StoredResponse
from pigi.operations.jobs import read_job
from web.http.auth import SAFE_METHODS, SESSION, identify, keep_renewed, refuse_other_sites, with_renewed_cookie
from web.http.context import FACTS, AccountContext, OrganisationContext, RequestContext
from web.http.idempotency import act_once
from web.http.replies import Reply, accepted, accepted_text, finished
from web.http.requests import MOST_BYTES, read_bytes
from web.http.routes import HONOUR_KEYS, RouteKind, Who
from web.http.transport import HEALTH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from pigi.jobs.model.view import JobView
    from web.http.context import RequestFacts, Services
    from web.http.routes import Route

SIGN_IN = "/sign-in"
WAYS_ON = {"account_deleting": "/account", "second_factor_required": "/account/second-factor"}
"""The page on which somebody finds the way on, by what keeps them from all others."""
LONGEST_WAIT_SECONDS = 30
# preference = token [ BWS "=" BWS word ] *( ";" … ), in a comma-separated list: RFC 7240, section 2.
_PREFERENCES = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_WAIT = re.compile(r'\s*wait\s*(?:=\s*("?)([0-9]{1,20})\1\s*(?:;.*)?\Z|(?=[=;]|\Z))', re.IGNORECASE | re.ASCII)


def mount(app: Flask, services: Services, routes: Iterable[Route]) -> None:
    """Give each route to Flask behind its check, then refuse to start if Flask knows any other path."""
    declared = set()
    routes = tuple(routes)
    app.after_request(partial(with_renewed_cookie, secure=services.application.settings.production))
    app.extensions["pigi pages"] = {route.endpoint for route in routes if route.kind is RouteKind.PAGE}
    for route in routes:
        if not isinstance(route.who, Who | Action):
            raise Misconfigured([f"{route.path}: no route says who may call it"])
        app.add_url_rule(
            route.path,
            route.endpoint,
            _handler(services, route),
            methods=[route.method],
            provide_automatic_options=False,
        )
        declared.add((route.endpoint, route.path))
    strays = [rule.rule for rule in app.url_map.iter_rules() if (rule.endpoint, rule.rule) not in declared]
    if strays:
        raise Misconfigured([f"{path}: no route says who may call it" for path in strays])


def _handler(services: Services, route: Route) -> Callable[..., Reply]:
    def handle(**arguments: Any) -> Reply:
        facts: RequestFacts = request.environ[FACTS]
        # The template, not the path, is what the log line shows.
        facts.route = route.path
        try:
            if route.method != "GET" and not route.takes_file:
                # The server has received it; how large it may be is said before anything is done.
                request.max_content_length = route.most_bytes or MOST_BYTES
                read_bytes()
            reply = _answer(services, facts, route, arguments)
        except Refused as refusal:
            if refusal.code == "unauthenticated" and route.kind is RouteKind.PAGE:
                return _to_sign_in()
            if refusal.code in WAYS_ON and route.kind is RouteKind.PAGE:
                return Reply(status=303, headers={"Location": WAYS_ON[refusal.code], "Cache-Control": "no-store"})
            raise
        keep_renewed()
        return reply

    return handle


def _answer(services: Services, facts: RequestFacts, route: Route, arguments: dict[str, Any]) -> Reply:
    context = RequestContext(services, facts)
    network = context.network
    if route.who is Who.ANYONE:
        refuse_other_sites()
        if SESSION in request.cookies:
            with services.permits.held(network):
                context = identify(services, facts, route, arguments)
        # By other permits: here people wait for their turn to hash, and nobody has to have a cookie.
        # Whether Pigi is well is asked most when much is asked.
        visits = services.visits if route.method == "GET" else services.entries
        with nullcontext() if route.path in HEALTH else visits.held(network):
            return _reply_of(route.view(context, **arguments))
    with services.permits.held(network):
        context = identify(services, facts, route, arguments)
        keyed = route.kind in HONOUR_KEYS and "HTTP_IDEMPOTENCY_KEY" in request.environ
        if keyed and isinstance(context, AccountContext | OrganisationContext):
            result = act_once(context, route, arguments)
        else:
            result = route.view(context, **arguments)
    if isinstance(context, AccountContext | OrganisationContext) and not isinstance(result, Reply):
        return _answer_with_job(context, result)
    return _reply_of(result)


def _answer_with_job(context: AccountContext | OrganisationContext, result: JobView | StoredResponse) -> Reply:
    """202 with the job, or 200 if the client waited and it ended; for a person's own jobs nobody waits."""
    if isinstance(result, StoredResponse):
        job_id, revision = result.location.rpartition("/")[2], 0
        reply = accepted_text(result.body, result.location)
        reply.headers["Idempotency-Replayed"] = "true"
    else:
        job_id, revision = result.id, result.revision
        reply = accepted(result)
    context.facts.job_id = job_id
    if "HTTP_PREFER" not in request.environ or isinstance(context, AccountContext):
        return reply
    waited = _wait_for_end(context, job_id, revision, reply)
    if waited is not reply and isinstance(result, StoredResponse):
        waited.headers["Idempotency-Replayed"] = "true"
    return waited


def _reply_of(result: object) -> Reply:
    if not isinstance(result, Reply):
        raise TypeError(result)
    return result


def _to_sign_in() -> Reply:
    there = request.full_path.rstrip("?") if request.method in SAFE_METHODS else "/"
    location = f"{SIGN_IN}?{urlencode({'next': there})}"
    return Reply(status=303, headers={"Location": location, "Cache-Control": "no-store"})


def wait_preference() -> int | None:
    """Seconds that the client would wait, 0 to 30; None if it did not say so properly (RFC 7240, section 4.3)."""
    header = ",".join(request.headers.getlist("Prefer"))[:1000]
    for preference in _PREFERENCES.findall(header):
        match = _WAIT.match(preference)
        if match:
            return min(int(match[2]), LONGEST_WAIT_SECONDS) if match[2] else None
    return None


def _wait_for_end(context: OrganisationContext, job_id: str, revision: int, otherwise: Reply) -> Reply:
    """The finished job if the client waits for it, it ends in time and they may still see it; else ``otherwise``.

    Hold no turn meanwhile. Without a slot nobody waits.
    """
    seconds = wait_preference()
    slot = None if seconds is None else context.services.waits.take(context.network)
    if seconds is None or slot is None:
        return otherwise
    try:
        job = _wait(context, job_id, revision, time.monotonic() + seconds)
    finally:
        slot.give_back()
    answer = finished(job) if job else otherwise
    answer.headers["Preference-Applied"] = f"wait={seconds}"
    return answer


def _wait(context: OrganisationContext, job_id: str, revision: int, until: float) -> JobView | None:
    """The job once it ended; None when time is up, or when a database fails: the job is accepted all the same."""
    try:
        return _look_until(context, job_id, revision, until)
    except (PigiError, SQLAlchemyError):
        return None


def _look_until(context: OrganisationContext, job_id: str, revision: int, until: float) -> JobView | None:
    with context.services.watcher.watch(job_id, revision) as watch:
        while (left := until - time.monotonic()) > 0:
            if watch.wait(left):
                with context.services.waiter_reads.held(context.network):
                    if not still_granted(context.application, [context.grant], Action.JOBS_READ):
                        return None
                    job = read_job(
                        context.application, job_id, context.caller.organisation_id, deletion=context.deletion
                    )
                if job.ended:
                    return job
                watch.catch_up(job.revision)
    return None
