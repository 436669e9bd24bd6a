"""Real processes that do one thing at the same moment."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, Self

from pigi.jobs.execution.claims import claim
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.recovery.pump import pump
from pigi.jobs.schedules import tick
from schedules.timetable import TIMETABLE
from tests.support.copies import copies
from tests.support.jobs import ask, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from multiprocessing.synchronize import Barrier

    from pigi.settings import Settings

HANDS = 8
WAIT_SECONDS = 60
_start: list[Barrier] = []


def _remember(barrier: Barrier) -> None:
    _start[:] = [barrier]


def together() -> None:
    """Wait until every process is here."""
    _start[0].wait(WAIT_SECONDS)


class Crowd:
    """So many processes as `HANDS`, started once a run."""

    def __enter__(self) -> Self:
        context = copies()
        barrier = context.Barrier(HANDS)
        self._pool = ProcessPoolExecutor(HANDS, context, initializer=_remember, initargs=(barrier,))
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pool.shutdown()

    def do(self, work: Callable[..., Any], *arguments: Any) -> list[Any]:
        """What ``work`` gave in each process; all begin at once, since each waits for `together`."""
        return [future.result() for future in [self._pool.submit(work, *arguments) for _ in range(HANDS)]]


def claim_all(settings: Settings, kind: str, job_ids: list[str]) -> list[str]:
    """Try to claim each job, in one order for all; those that were got."""
    with opened(settings) as application:
        together()
        return [job_id for job_id in job_ids if claim(application.control, CATALOGUE[kind], job_id) is not None]


def ask_often(settings: Settings, kind: str, organisation_id: str, times: int) -> list[str]:
    """Enqueue so many jobs."""
    with opened(settings) as application:
        together()
        return [ask(application.control, CATALOGUE[kind], organisation_id) for _ in range(times)]


def tick_once(settings: Settings, moment: datetime) -> list[str]:
    """One tick of the timetable."""
    with opened(settings) as application:
        together()
        return tick(application.control, application.notifier, TIMETABLE, moment)


def pump_once(settings: Settings) -> tuple[int, int]:
    """One tick of the pump: how many were taken back and let in."""
    with opened(settings) as application:
        together()
        found = pump(application.control, application.notifier)
        return found.rescued, found.released
