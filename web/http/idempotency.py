"""Idempotency-Key on unsafe requests: however often one is sent, its view acts once.

After draft-ietf-httpapi-idempotency-key-header; `pigi.operations.idempotency` keeps the keys.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import request

from pigi.errors import Refused
from pigi.operations.idempotency import StoredResponse, reserve
from web.http.context import Attempt
from web.http.replies import Reply, no_content
from web.http.requests import read_bytes
from web.http.routes import RouteKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pigi.jobs.model.view import JobView
    from pigi.operations.idempotency import Reservation
    from web.http.context import AccountContext, OrganisationContext, Services
    from web.http.routes import Route

UNDECIDED_SECONDS = 5.0
"""How long a repeat waits for the first request to be decided."""
COME_AGAIN_SECONDS = 5
"""When to come back after that: by then the reservation of an owner that died may be taken over."""
POLL_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Waits between looks: short at first, since most acts take milliseconds; the last one repeats."""
KEY_PATTERN = r"^[!-~]([ -~]{0,253}[!-~])?$"
_KEY = re.compile(KEY_PATTERN.removesuffix("$") + r"\Z")


def act_once(
    context: OrganisationContext | AccountContext, route: Route, arguments: Mapping[str, Any]
) -> Reply | JobView | StoredResponse:
    """What the view returns for a request with a key; for a repeat of a job's request, what the first one was answered.

    What was made is not kept with the key, since it may be content: a repeat is answered by the route's ``replay``,
    or without one by the status alone.

    The view passes `context.record` or `context.record_job` on, to be called in the transaction of the act. An act in a
    tenant database cannot do so: between its commit and the key's a crash may let it repeat.

    Raises Refused: ``idempotency_key_malformed``, ``idempotency_key_reused``, ``idempotency_undecided``.
    """
    key = request.environ["HTTP_IDEMPOTENCY_KEY"]
    if not _KEY.match(key):
        raise Refused("idempotency_key_malformed")
    found = _reserve(context, key, _fingerprint(route))
    if not isinstance(found, StoredResponse):
        return _act(context, found, route, arguments)
    if route.kind is RouteKind.JOB:
        return found
    reply = route.replay(context, found.location, **arguments) if route.replay else no_content()
    reply.status_code = found.status
    reply.headers["Idempotency-Replayed"] = "true"
    return reply


def _fingerprint(route: Route) -> bytes:
    """All that makes requests equal."""
    condition = request.environ.get("HTTP_IF_MATCH", "").encode()
    body = route.fingerprint() if route.fingerprint else read_bytes()
    return b"\0".join((request.method.encode(), request.path.encode(), condition, body))


def _reserve(
    context: OrganisationContext | AccountContext, key: str, fingerprint: bytes
) -> Reservation | StoredResponse:
    found = reserve(context.application, context.requester, key, fingerprint)
    if found is not None:
        return found
    give_up = time.monotonic() + UNDECIDED_SECONDS
    with _waiting(context.services, context.network):
        for pause in _pauses(give_up):
            time.sleep(pause)
            with context.services.waiter_reads.held(context.network):
                found = reserve(context.application, context.requester, key, fingerprint)
            if found is not None:
                return found
    raise Refused("idempotency_undecided", retry_after=COME_AGAIN_SECONDS)


@contextmanager
def _waiting(services: Services, network: str) -> Iterator[None]:
    """Hold a slot for waiting and no permit; refuse if there is none."""
    slot = services.repeats.take(network)
    if slot is None:
        raise Refused("idempotency_undecided")
    try:
        with services.permits.released(network):
            yield
    finally:
        slot.give_back()


def _pauses(give_up: float) -> Iterator[float]:
    looks = 0
    while time.monotonic() < give_up:
        yield POLL_SECONDS[min(looks, len(POLL_SECONDS) - 1)]
        looks += 1


def _act(
    context: OrganisationContext | AccountContext,
    reservation: Reservation,
    route: Route,
    arguments: Mapping[str, Any],
) -> Reply | JobView:
    attempt = Attempt(reservation)
    context = replace(context, attempt=attempt)
    try:
        with context.services.heartbeat.holding(reservation):
            result = route.view(context, **arguments)
    except BaseException:
        reservation.release()
        raise
    if isinstance(result, Reply) and not attempt.decided:
        with context.application.control.begin() as session:
            context.record(session, result.headers.get("Location", ""), result.status_code)
    return result
