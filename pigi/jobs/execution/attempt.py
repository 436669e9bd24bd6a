"""Running jobs: from a notification to what became of its job. Retrying lives here and nowhere else."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from pigi.clock import now
from pigi.domain.job_state import ENDED, WAITING, JobState
from pigi.domain.processing import Use
from pigi.errors import Permanent, Refused, Temporary
from pigi.jobs.effects import refuse_stopped
from pigi.jobs.execution import claims
from pigi.jobs.execution.cleanup import EndedJob, clean_up, clean_up_ended
from pigi.jobs.execution.context import JobContext
from pigi.jobs.execution.timeouts import DATABASE_SECONDS
from pigi.jobs.model.claim import Cancelled, Claim, Fenced, HandBack, LeaseLost, Restricted
from pigi.jobs.queueing.notifications import NotificationBuffer
from pigi.jobs.queueing.partitions import still_waiting
from pigi.logs import NOTED, places_of
from pigi.store import log_entries
from pigi.store.engines import lock_wait
from pigi.store.outages import is_passing, retry_while_unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.execution.context import ApplicationProtocol, Handler, WorkerContext
    from pigi.jobs.kind import Kind
    from pigi.jobs.queueing.partitions import Notification

logger = logging.getLogger(__name__)

Written = TypeVar("Written")


@dataclass(frozen=True)
class Finish:
    """The job is over."""

    state: JobState
    reason: str | None = None


@dataclass(frozen=True)
class Retry:
    """The job is to be tried again."""

    reason: str
    delay: timedelta


Outcome = Finish | Retry | HandBack | LeaseLost
"""What became of one attempt. The last two are reasons to stop that leave the job to another worker."""


def run(handler: Handler, job_id: str, worker_context: WorkerContext[Any]) -> None:
    """Handle a notification: do the job if it can be claimed, else end it or clean up after it.

    The end of a job takes the next published one of its kind along, for up to ``chain_seconds``: that saves a
    commit and a trip through Redis. The notification of a job so taken finds another's, or nothing to do.
    """
    tokens = [claims.new_token()]
    try:
        _run_chain(handler, job_id, worker_context, tokens)
    except SystemExit:
        # It may come when the next job is claimed and the last one's end not yet returned.
        application = worker_context.application
        application.notifier.notify(claims.hand_back_all(application.control, tokens[-2:]))
        raise


def _run_chain(handler: Handler, job_id: str, worker_context: WorkerContext[Any], tokens: list[str]) -> None:
    """Run the job and those that follow; adds the token of each claim to ``tokens`` before it is made."""
    relaxed_control, began = worker_context.relaxed_control, time.monotonic()

    def chain() -> Kind | None:
        """Asked when a job has ended: Celery's time limits count from the message, so only short jobs lead on."""
        goes_on = not worker_context.draining() and time.monotonic() - began < worker_context.chain_seconds
        return handler.kind if goes_on else None

    token = tokens[0]
    held = retry_while_unavailable(lambda: claims.claim(relaxed_control, handler.kind, job_id, token), DATABASE_SECONDS)
    if held is None:
        _handle_unclaimed(handler.kind, job_id, worker_context.application)
        if chain() is None:
            return
        tries = count()
        held = retry_while_unavailable(
            lambda: claims.claim_any(relaxed_control, handler.kind, token, again=next(tries) > 0), DATABASE_SECONDS
        )
    buffer = NotificationBuffer(worker_context.application.notifier, lambda jobs: still_waiting(relaxed_control, jobs))
    while held is not None:
        tokens.append(claims.new_token())
        freed, held = _run_one(handler, held, worker_context, chain, tokens[-1])
        if held is None:
            buffer.close(freed)
        else:
            buffer.add(freed, held.job_id)


def _handle_unclaimed(kind: Kind, job_id: str, application: ApplicationProtocol) -> None:
    """End a job that must not start, or clean up after one that has ended; a doubled notification needs nothing."""
    with application.control.autocommit() as connection:
        found = claims.why_unclaimed(connection, job_id)
    if found is None:
        return
    if found.state in WAITING and (found.cancelled or found.fenced):
        with application.control.transaction() as connection:
            freed = claims.cancel(connection, kind, job_id, "fenced" if found.fenced else "cancelled")
        application.notifier.notify(freed)
        clean_up_ended(kind, application, application.control, job_id)
    elif found.state in ENDED and found.cleanup_due:
        clean_up_ended(kind, application, application.control, job_id)


def _run_one(
    handler: Handler, held: Claim, worker_context: WorkerContext[Any], chain: Callable[[], Kind | None], token: str
) -> tuple[list[Notification], Claim | None]:
    """Run a claimed job once; returns the notifications to send, and the claim of the chain's next job by ``token``."""
    application, heartbeat = worker_context.application, worker_context.heartbeat
    heartbeat.hold(held)
    try:
        context = JobContext(application.control, held, heartbeat, worker_context.draining)
        outcome = attempt(handler, context, worker_context)
        if isinstance(outcome, Finish):
            return _finish(handler.kind, held, worker_context, outcome, chain, token)
        return _leave(handler.kind, held, worker_context, outcome), None
    finally:
        heartbeat.let_go()


def attempt(handler: Handler, context: JobContext, worker_context: WorkerContext[Any]) -> Outcome:
    """Run the body once and say what came of it."""
    try:
        if handler.kind.use is not Use.SERVICE:
            with context.control.autocommit() as connection:
                refuse_stopped(connection, context.job)
        handler.body(context, worker_context)
    except (Cancelled, Fenced, Restricted) as stop:
        return Finish(JobState.CANCELLED, stop.code)
    except (HandBack, LeaseLost) as stop:
        return stop
    except (Permanent, Refused) as error:
        return Finish(JobState.FAILED, error.code)
    except Temporary as error:
        return retry_or_fail(handler.kind, context.job, error.code, error.retry_after)
    except Exception as error:  # noqa: BLE001 - a bug in one job must not end the worker
        return retry_or_fail(handler.kind, context.job, _code_of(context.job, error))
    return Finish(JobState.SUCCEEDED)


def _code_of(held: Claim, error: Exception) -> str:
    """The code of an error that nobody foresaw. Says where it came from, never what: its text may quote content."""
    frames = " < ".join(reversed(places_of(error)))
    logger.error("job %s (%s): %s at %s", held.job_id, held.kind, type(error).__name__, frames, extra=NOTED)
    log_entries.put(log_entries.failure_entry(held.kind, error, job_id=held.job_id))
    if isinstance(error, SoftTimeLimitExceeded):
        return "timed_out"
    return "database_away" if is_passing(error) else "internal"


def retry_or_fail(kind: Kind, held: Claim, code: str, retry_after: timedelta | None = None) -> Retry | Finish:
    """Try again, unless the attempts are used up or the wait would pass the job's deadline.

    What the kind has `patience` for uses up no attempts.
    ``retry_after`` is what the provider asked for: no earlier than that, with a little spread after it. It never
    shortens the kind's own wait, or a provider that asks for a second would use up tries that are meant to last hours.
    """
    if code not in kind.patience and held.failures + 1 >= kind.attempts:
        return Finish(JobState.FAILED, code)
    delay = kind.patience.get(code, kind.wait)(held.failures)
    if retry_after is not None:
        delay = max(delay, retry_after + min(delay, timedelta(seconds=5)))
    if now() + delay > held.deadline_at:
        return Finish(JobState.FAILED, code)
    return Retry(code, delay)


def _insist(write: Callable[[], Written], end: float | None = None) -> Written:
    """Write what became of a job, once more if its time limit, which comes once, strikes in the middle.

    Tries begin until ``end``, on the monotonic clock; for `DATABASE_SECONDS` without it. Before the child is killed
    there is time for both, see `pigi.jobs.execution.timeouts`.
    """
    end = time.monotonic() + DATABASE_SECONDS if end is None else end
    try:
        return retry_while_unavailable(write, max(0.0, end - time.monotonic()))
    except SoftTimeLimitExceeded:
        return retry_while_unavailable(write, max(0.0, end - time.monotonic()))


def _finish(  # noqa: PLR0913 - an attempt's facts
    kind: Kind,
    held: Claim,
    worker_context: WorkerContext[Any],
    outcome: Finish,
    chain: Callable[[], Kind | None],
    token: str,
) -> tuple[list[Notification], Claim | None]:
    """Record the end, and claim the next job of the chain with it; cleans up before, so that no end shows a rest.

    One period for all, or the child would be killed over the last of them: what fails to be cleaned up stays owed.
    """
    end = time.monotonic() + DATABASE_SECONDS
    relaxed_control, cleanup_at = worker_context.relaxed_control, None
    if kind.cleanup is not None:
        # A last heartbeat: one that lost its lease must not remove what a later attempt still needs.
        if not _insist(lambda: claims.extend(relaxed_control, held)[0], end):
            return [], None

        def check() -> None:
            if not claims.check_lease(relaxed_control, held)[0]:
                raise LeaseLost

        job = EndedJob(held.organisation_id, held.subject_id, outcome.state, now(), held.attempt, check)
        with lock_wait(end - time.monotonic()):
            cleanup_at = clean_up(kind, worker_context.application, job)
    ending, following = claims.Ending(outcome.state, outcome.reason, cleanup_at), chain()
    return _insist(lambda: claims.finish_and_claim(relaxed_control, held, ending, following, token), end)


def _leave(
    kind: Kind, held: Claim, worker_context: WorkerContext[Any], outcome: Retry | HandBack | LeaseLost
) -> list[Notification]:
    """Leave the job to a later attempt; cleans up if it was cancelled meanwhile and therefore ended instead."""
    relaxed_control, application = worker_context.relaxed_control, worker_context.application
    if isinstance(outcome, LeaseLost):
        return []

    def give_up() -> list[Notification]:
        if isinstance(outcome, Retry):
            return claims.retry(relaxed_control, held, outcome.reason, outcome.delay)
        return claims.hand_back(relaxed_control, held)

    freed = _insist(give_up)
    if kind.cleanup is not None:
        clean_up_ended(kind, application, application.control, held.job_id)
    return freed
