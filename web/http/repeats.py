"""Idempotency-Key on unsafe requests, and ``Prefer: wait``: how one act may be asked for often, or waited for."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from flask import request
from sqlalchemy.exc import SQLAlchemyError

from pigi.domain.access import Action
from pigi.errors import PigiError, Refused
from pigi.operations import idempotency
from pigi.operations.access import still_granted
from pigi.operations.jobs import read_job
from web.http.bodies import read_bytes
from web.http.replies import Reply, accepted, accepted_text, finished, job_path, job_text
from web.http.routes import Response
from web.http.schemas import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.model.view import JobView
    from pigi.operations.idempotency import Reservation
    from pigi.store.sessions import ControlSession
    from web.http.context import AccountContext, OrganisationContext

    OnDone = Callable[[ControlSession, JobView], None]
    OnMade = Callable[[ControlSession, str, int], None]
    Act = Callable[[OnDone | None], JobView]

LONGEST_WAIT_SECONDS = 30
KEY_PATTERN = r"^[!-~]([ -~]{0,253}[!-~])?$"
_KEY = re.compile(KEY_PATTERN.removesuffix("$") + r"\Z")
# preference = token [ BWS "=" BWS word ] *( ";" … ), in a comma-separated list: RFC 7240, section 2.
_PREFERENCES = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_WAIT = re.compile(r'\s*wait\s*(?:=\s*("?)([0-9]{1,20})\1\s*(?:;.*)?\Z|(?=[=;]|\Z))', re.IGNORECASE | re.ASCII)

ASKED = (
    Response(
        202,
        "Accepted; the body is the job as it stands",
        Job,
        headers=("Location", "Retry-After", "Idempotency-Replayed", "Preference-Applied"),
    ),
    Response(
        200,
        "The finished job, if `Prefer: wait` was sent and it ended in time",
        Job,
        headers=("Location", "Content-Location", "Idempotency-Replayed", "Preference-Applied"),
    ),
)
"""The good answers of whatever `once` does."""


def once(context: OrganisationContext, act: Act) -> Reply:
    """Do ``act``, once for each Idempotency-Key, and answer 202, or 200 if the caller waited and the job ended."""
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        job = act(None)
        return _awaited(context, job.id, job.revision, accepted(job))
    if not _KEY.match(key):
        raise Refused("idempotency_key_malformed")
    found = idempotency.reserve(context.application, context.requester, key, _fingerprint())
    if isinstance(found, idempotency.StoredResponse):
        answer = _awaited(context, found.location.rpartition("/")[2], 0, accepted_text(found.body, found.location))
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
    job = _decided(found, act)
    return _awaited(context, job.id, job.revision, accepted(job))


def once_made(
    context: OrganisationContext | AccountContext,
    act: Callable[[OnMade], Reply],
    show: Callable[[str], Reply] | None = None,
    *,
    body: bytes | None = None,
) -> Reply:
    """Do ``act``, once for each Idempotency-Key, and answer what it answers.

    What was made is not kept with the key, since it may be content: a repeat is answered by ``show``, given
    the first answer's Location, with that answer's status; without ``show`` by the status alone.

    ``act`` gets a function to call with its session and Location in the transaction that makes the thing.
    An act in a tenant database can't, and leaves it: between its commit and the key's a crash may let it repeat.

    ``body`` stands for a body with a password in it, of which no fast hash may be kept.
    """
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return act(lambda _session, _location, _status: None)
    if not _KEY.match(key):
        raise Refused("idempotency_key_malformed")
    found = idempotency.reserve(context.application, context.requester, key, _fingerprint(body))
    if isinstance(found, idempotency.StoredResponse):
        answer = show(found.location) if show else Reply(headers={"Cache-Control": "no-store"})
        answer.status_code = found.status
        answer.headers["Idempotency-Replayed"] = "true"
        return answer
    return _made(context, found, act)


def _made(
    context: OrganisationContext | AccountContext, reservation: Reservation, act: Callable[[OnMade], Reply]
) -> Reply:
    decided = False

    def decide(session: ControlSession, location: str, status: int) -> None:
        nonlocal decided
        reservation.decide(session, idempotency.StoredResponse(status, location, ""))
        decided = True

    try:
        answer = act(decide)
    except BaseException:
        reservation.release()
        raise
    if not decided:
        with context.application.control.begin() as session:
            decide(session, answer.headers.get("Location", ""), answer.status_code)
    return answer


def _fingerprint(body: bytes | None = None) -> bytes:
    condition = request.environ.get("HTTP_IF_MATCH", "").encode()
    return b"\0".join(
        (request.method.encode(), request.path.encode(), condition, read_bytes() if body is None else body)
    )


def _decided(reservation: Reservation, act: Act) -> JobView:
    def decide(session: ControlSession, job: JobView) -> None:
        reservation.decide(session, idempotency.StoredResponse(202, job_path(job.id), job_text(job)))

    try:
        return act(decide)
    except BaseException:
        reservation.release()
        raise


def wait_preference() -> int | None:
    """Seconds that the client would wait, 0 to 30; None if it did not say so properly (RFC 7240, section 4.3)."""
    header = ",".join(request.headers.getlist("Prefer"))[:1000]
    for preference in _PREFERENCES.findall(header):
        match = _WAIT.match(preference)
        if match:
            return min(int(match[2]), LONGEST_WAIT_SECONDS) if match[2] else None
    return None


def _awaited(context: OrganisationContext, job_id: str, revision: int, otherwise: Reply) -> Reply:
    """The finished job if the client waits for it, it ends in time and they may still see it; else ``otherwise``."""
    context.facts.job_id = job_id
    seconds = wait_preference() if "HTTP_PREFER" in request.environ else None
    if seconds is None:
        return otherwise
    place = context.services.waits.take()
    if place is None:
        return otherwise
    try:
        with context.services.turns.aside():
            job = _wait(context, job_id, revision, time.monotonic() + seconds)
    finally:
        place.give_back()
    answer = finished(job) if job else otherwise
    answer.headers["Preference-Applied"] = f"wait={seconds}"
    return answer


def _wait(context: OrganisationContext, job_id: str, revision: int, until: float) -> JobView | None:
    """The job once it ended; None when time is up, or when a database fails: the job is accepted all the same."""
    try:
        return _wait_for_end(context, job_id, revision, until)
    except (PigiError, SQLAlchemyError):
        return None


def _wait_for_end(context: OrganisationContext, job_id: str, revision: int, until: float) -> JobView | None:
    with context.services.watcher.watch(job_id, revision) as watch:
        while (left := until - time.monotonic()) > 0:
            if watch.wait(left):
                with context.services.readers:
                    if not still_granted(context.application, [context.grant], Action.JOBS_READ):
                        return None
                    job = read_job(
                        context.application, job_id, context.caller.organisation_id, deletion=context.deletion
                    )
                if job.ended:
                    return job
                watch.catch_up(job.revision)
    return None
