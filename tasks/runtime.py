"""From a bell to a settled job: claim, run, settle. The only Celery code of the tasks.

A body is a plain function of a `JobContext` and `Hands`; `job` registers it and returns it untouched. A
closing puts away what an ended job was about; it also runs for jobs that ended without a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pigi.domain.job_state import JobState
from pigi.jobs.queue import app as celery
from tasks.outcome import run

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.jobs.context import JobContext
    from pigi.jobs.keeper import Keeper
    from pigi.jobs.kinds import Kind
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlDatabase

HARD_LIMIT_SECONDS = 15
"""What a body gets beyond its time limit to let go before the child is killed."""


@dataclass(frozen=True)
class Hands:
    """What a worker's child works with; made after the fork (worker/lifecycle.py).

    ``chain_seconds`` is for how long one bell may lead from a short job to the next of its kind.
    """

    application: Application
    gateways: Gateways
    keeper: Keeper
    draining: Callable[[], bool]
    relaxed: ControlDatabase | None = None
    chain_seconds: float = 0.0

    @property
    def ledger(self) -> ControlDatabase:
        """Where claims and ends are written; ``relaxed`` saves their wait for the disk (`pigi.store.engines`)."""
        return self.relaxed or self.application.control


Body = Callable[["JobContext", Hands], None]
Closing = Callable[["Application", str | None, str, JobState, datetime], datetime | None]


@dataclass(frozen=True)
class Handler:
    """A kind with its body and, if ending leaves something, its closing."""

    kind: Kind
    body: Body
    closing: Closing | None


HANDLERS: dict[str, Handler] = {}
_hands: list[Hands] = []


def equip(hands: Hands) -> None:
    """Give this process its hands; the worker does so in each child."""
    _hands[:] = [hands]


def job(kind: Kind, closing: Closing | None = None) -> Callable[[Body], Body]:
    """Register a function as the body of ``kind``; raises ValueError if its closing does not fit the catalogue."""
    if kind.closes != (closing is not None) or kind.name in HANDLERS:
        message = f"{kind.name}: closing and catalogue differ, or registered twice"
        raise ValueError(message)

    def register(body: Body) -> Body:
        handler = HANDLERS[kind.name] = Handler(kind, body, closing)
        seconds = kind.time_limit.total_seconds()

        @celery.task(name=kind.name, soft_time_limit=seconds, time_limit=seconds + HARD_LIMIT_SECONDS)
        def answer_bell(job_id: object) -> None:
            if isinstance(job_id, str):
                run(handler, job_id, _hands[0])

        return body

    return register
