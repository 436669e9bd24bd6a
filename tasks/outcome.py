"""One attempt of one job, and what becomes of it. Retrying lives here and nowhere else."""

from __future__ import annotations

import logging
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import DBAPIError

from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.errors import Permanent, Refused, Temporary
from pigi.jobs import settle
from pigi.jobs.bell import RingBuffer
from pigi.jobs.claim import Claim, claim, claim_next, extend
from pigi.jobs.context import DATABASE_SECONDS, JobContext
from pigi.jobs.lanes import still_waiting
from pigi.jobs.stops import Cancelled, Fenced, HandBack, LeaseLost, Stop
from pigi.logs import NOTED, places_of
from pigi.operations import notes
from pigi.store.patience import is_away, patiently
from tasks.leftovers import attend, close_quietly

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.kinds import Kind
    from pigi.jobs.lanes import Ring
    from pigi.store.sessions import ControlDatabase
    from tasks.runtime import Handler, Hands

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


def run(handler: Handler, job_id: str, hands: Hands) -> None:
    """Answer a bell: do the job if it can be claimed, else see to what it may be owed.

    The end of a job takes the next rung one of its kind with it, for up to ``hands.chain_seconds``: that
    saves a commit and a trip through Redis. Every bell of a job so taken finds another's, or nothing to do.
    """
    token = uuid.uuid4().hex
    held = patiently(lambda: claim(hands.ledger, handler.kind, job_id, token), DATABASE_SECONDS)
    if held is None:
        attend(handler, job_id, hands.application)
        held = _take_other(handler.kind, hands)
    if held is not None:
        _chain(handler, held, hands)


def _take_other(kind: Kind, hands: Hands) -> Claim | None:
    if hands.chain_seconds <= 0:
        return None
    with hands.ledger.transaction() as connection:
        return claim_next(connection, kind)


def _chain(handler: Handler, held: Claim, hands: Hands) -> None:
    began = time.monotonic()
    rings = RingBuffer(hands.application.bell, lambda jobs: still_waiting(hands.ledger, jobs))

    def following() -> Kind | None:
        """Asked when a job has ended: Celery's time limits count from the bell, so only short jobs lead on."""
        goes_on = not hands.draining() and time.monotonic() - began < hands.chain_seconds
        return handler.kind if goes_on else None

    while True:
        freed, taken = _do(handler, held, hands, following)
        if taken is None:
            rings.close(freed)
            return
        rings.add(freed, taken.job_id)
        held = taken


def _do(
    handler: Handler, held: Claim, hands: Hands, following: Callable[[], Kind | None]
) -> tuple[list[Ring], Claim | None]:
    hands.keeper.hold(held)
    try:
        outcome = attempt(handler, held, hands)
        return _settle(handler, held, hands, outcome, following())
    except SystemExit:
        hands.application.bell.ring(settle.hand_back(hands.application.control, held))
        raise
    finally:
        hands.keeper.let_go()


def attempt(handler: Handler, held: Claim, hands: Hands) -> Outcome:
    """Run the body once and say what came of it."""
    context = JobContext(hands.application.control, held, hands.keeper, hands.draining)
    try:
        handler.body(context, hands)
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
    handler: Handler, held: Claim, hands: Hands, outcome: Outcome, following: Kind | None
) -> tuple[list[Ring], Claim | None]:
    control = hands.ledger
    match outcome:
        case Ended(state, reason):
            if handler.closing is not None and not patiently(lambda: _is_still_ours(control, held), DATABASE_SECONDS):
                return [], None
            ending = settle.Ending(state, reason, _close(handler, held, hands, state))
            return patiently(lambda: settle.finish_and_claim(control, held, ending, following), DATABASE_SECONDS)
        case Again(reason, delay):
            return patiently(lambda: settle.retry(control, held, reason, delay), DATABASE_SECONDS), None
        case Returned():
            return patiently(lambda: settle.hand_back(control, held), DATABASE_SECONDS), None
        case Lost():
            return [], None


def _is_still_ours(control: ControlDatabase, held: Claim) -> bool:
    """A last heartbeat: what a later attempt still needs must not be put away by one that lost its lease."""
    with control.quick() as connection:
        return extend(connection, held)[0]


def _close(handler: Handler, held: Claim, hands: Hands, state: JobState) -> datetime | None:
    """Put away before the end is shown, so that whoever sees the end finds nothing left."""
    if handler.closing is None:
        return None
    return close_quietly(handler, hands.application, held.organisation_id, held.subject_id, state, now())


def _log(held: Claim, error: BaseException) -> None:
    # Where, never what: an exception's text may quote content.
    frames = " < ".join(reversed(places_of(error)))
    logger.error("job %s (%s): %s at %s", held.job_id, held.kind, type(error).__name__, frames, extra=NOTED)
    notes.put(notes.failure_line(held.kind, error, job_id=held.job_id))
