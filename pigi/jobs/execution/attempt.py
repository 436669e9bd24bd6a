"""One attempt of one job, and what becomes of it. Retrying lives here and nowhere else."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import DBAPIError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.errors import Permanent, Refused, Temporary
from pigi.jobs.execution import claims
from pigi.jobs.execution.claims import claim, claim_next, extend
from pigi.jobs.execution.cleanup import clean_up
from pigi.jobs.execution.context import DATABASE_SECONDS, JobContext
from pigi.jobs.execution.unclaimed import handle_unclaimed
from pigi.jobs.model.claim import Cancelled, Claim, Fenced, HandBack, LeaseLost, Stop
from pigi.jobs.queueing.notifications import NotificationBuffer
from pigi.jobs.queueing.partitions import still_waiting
from pigi.logs import NOTED, places_of
from pigi.store import log_entries
from pigi.store.outages import is_away, retry_while_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.execution.worker import Handler, WorkerContext
    from pigi.jobs.kinds import Kind
    from pigi.jobs.queueing.partitions import Notification
    from pigi.store.sessions import ControlDatabase

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """The job is over."""

    state: JobState
    reason: str | None = None


@dataclass(frozen=True)
class Again:
    """The job shall be tried again."""

    reason: str
    delay: timedelta


@dataclass(frozen=True)
class Returned:
    """Another worker shall go on at once."""


@dataclass(frozen=True)
class Lost:
    """Another worker has it already; nothing may be written."""


Outcome = Ended | Again | Returned | Lost

STOPPED: dict[type[Stop], Outcome] = {
    Cancelled: Ended(JobState.CANCELLED, "cancelled"),
    Fenced: Ended(JobState.CANCELLED, "fenced"),
    LeaseLost: Lost(),
    HandBack: Returned(),
}
"""What becomes of a job that stopped before its end."""


def run(handler: Handler, job_id: str, worker_context: WorkerContext[Any]) -> None:
    """Answer a bell: do the job if it can be claimed, else see to what it may be owed.

    The end of a job takes the next rung one of its kind with it, for up to ``hands.chain_seconds``: that
    saves a commit and a trip through Redis. Every bell of a job so taken finds another's, or nothing to do.
    """
    token = uuid.uuid4().hex
    held = retry_while_unavailable(lambda: claim(worker_context.ledger, handler.kind, job_id, token), DATABASE_SECONDS)
    if held is None:
        handle_unclaimed(handler, job_id, worker_context.application)
        held = _take_other(handler.kind, worker_context)
    if held is not None:
        _chain(handler, held, worker_context)


def _take_other(kind: Kind, worker_context: WorkerContext[Any]) -> Claim | None:
    if worker_context.chain_seconds <= 0:
        return None
    with worker_context.ledger.transaction() as connection:
        return claim_next(connection, kind)


def _chain(handler: Handler, held: Claim, worker_context: WorkerContext[Any]) -> None:
    began = time.monotonic()
    notifications = NotificationBuffer(
        worker_context.application.notifier, lambda jobs: still_waiting(worker_context.ledger, jobs)
    )

    def following() -> Kind | None:
        """Asked when a job has ended: Celery's time limits count from the bell, so only short jobs lead on."""
        goes_on = not worker_context.draining() and time.monotonic() - began < worker_context.chain_seconds
        return handler.kind if goes_on else None

    while True:
        freed, taken = _do(handler, held, worker_context, following)
        if taken is None:
            notifications.close(freed)
            return
        notifications.add(freed, taken.job_id)
        held = taken


def _do(
    handler: Handler, held: Claim, worker_context: WorkerContext[Any], following: Callable[[], Kind | None]
) -> tuple[list[Notification], Claim | None]:
    worker_context.heartbeat.hold(held)
    try:
        outcome = attempt(handler, held, worker_context)
        return _settle(handler, held, worker_context, outcome, following())
    except SystemExit:
        worker_context.application.notifier.notify(claims.hand_back(worker_context.application.control, held))
        raise
    finally:
        worker_context.heartbeat.let_go()


def attempt(handler: Handler, held: Claim, worker_context: WorkerContext[Any]) -> Outcome:
    """Run the body once and say what came of it."""
    context = JobContext(worker_context.application.control, held, worker_context.heartbeat, worker_context.draining)
    try:
        handler.body(context, worker_context)
    except Stop as stop:
        return STOPPED[type(stop)]
    except (Permanent, Refused) as error:
        return Ended(JobState.FAILED, error.code)
    except Temporary as error:
        return again_or_failed(handler.kind, held, error.code, error.retry_after)
    except Exception as error:  # noqa: BLE001 - a bug in one job must not end the worker
        _log(held, error)
        return again_or_failed(handler.kind, held, _code_of(error))
    return Ended(JobState.SUCCEEDED)


def _code_of(error: Exception) -> str:
    if isinstance(error, SoftTimeLimitExceeded):
        return "timed_out"
    return "database_away" if isinstance(error, DBAPIError) and is_away(error) else "internal"


def again_or_failed(kind: Kind, held: Claim, code: str, asked: timedelta | None = None) -> Again | Ended:
    """Try again, unless the attempts are used up or the wait would pass the job's deadline.

    ``asked`` is the provider's Retry-After: no earlier than that, with a little spread after it. It never shortens the
    kind's own wait, or a provider that asks for a second would use up tries that are meant to last for hours.
    """
    if held.failures + 1 >= kind.attempts:
        return Ended(JobState.FAILED, code)
    delay = kind.wait(held.failures)
    if asked is not None:
        delay = max(delay, asked + min(delay, timedelta(seconds=5)))
    if now() + delay > held.deadline_at:
        return Ended(JobState.FAILED, code)
    return Again(code, delay)


def _settle(
    handler: Handler, held: Claim, worker_context: WorkerContext[Any], outcome: Outcome, following: Kind | None
) -> tuple[list[Notification], Claim | None]:
    control = worker_context.ledger
    match outcome:
        case Ended(state, reason):
            if handler.kind.cleanup is not None and not retry_while_unavailable(
                lambda: _is_still_ours(control, held), DATABASE_SECONDS
            ):
                return [], None
            ending = claims.Ending(state, reason, _close(handler, held, worker_context, state))
            return retry_while_unavailable(
                lambda: claims.finish_and_claim(control, held, ending, following), DATABASE_SECONDS
            )
        case Again(reason, delay):
            return retry_while_unavailable(lambda: claims.retry(control, held, reason, delay), DATABASE_SECONDS), None
        case Returned():
            return retry_while_unavailable(lambda: claims.hand_back(control, held), DATABASE_SECONDS), None
        case Lost():
            return [], None


def _is_still_ours(control: ControlDatabase, held: Claim) -> bool:
    """A last heartbeat: what a later attempt still needs must not be put away by one that lost its lease."""
    with control.autocommit() as connection:
        return extend(connection, held)[0]


def _close(handler: Handler, held: Claim, worker_context: WorkerContext[Any], state: JobState) -> datetime | None:
    """Put away before the end is shown, so that whoever sees the end finds nothing left."""
    return clean_up(handler.kind, worker_context.application, held.organisation_id, held.subject_id, state, now())


def _log(held: Claim, error: BaseException) -> None:
    # Where, never what: an exception's text may quote content.
    frames = " < ".join(reversed(places_of(error)))
    logger.error("job %s (%s): %s at %s", held.job_id, held.kind, type(error).__name__, frames, extra=NOTED)
    log_entries.put(log_entries.failure_entry(held.kind, error, job_id=held.job_id))
