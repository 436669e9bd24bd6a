"""From a bell to a settled job: claim, run, settle. The only Celery code of the tasks.

A body is a plain function of a `JobContext` and `WorkerContext`; `job` registers it and returns it untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.worker import Body, Handler, WorkerContext
from pigi.jobs.queueing.celery_app import app as celery

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.kinds import Kind

HARD_LIMIT_SECONDS = 15
"""What a body gets beyond its time limit to let go before the child is killed."""


HANDLERS: dict[str, Handler] = {}
_worker_context: list[WorkerContext[Any]] = []


def set_worker_context(worker_context: WorkerContext[Any]) -> None:
    """Give this process its hands; the worker does so in each child."""
    _worker_context[:] = [worker_context]


def job(kind: Kind) -> Callable[[Body], Body]:
    """Register a function as the body of ``kind``; raises ValueError if it has one."""
    if kind.name in HANDLERS:
        message = f"{kind.name}: registered twice"
        raise ValueError(message)

    def register(body: Body) -> Body:
        handler = HANDLERS[kind.name] = Handler(kind, body)
        seconds = kind.time_limit.total_seconds()

        @celery.task(name=kind.name, soft_time_limit=seconds, time_limit=seconds + HARD_LIMIT_SECONDS)
        def handle_message(job_id: object) -> None:
            if isinstance(job_id, str):
                run(handler, job_id, _worker_context[0])

        return body

    return register
