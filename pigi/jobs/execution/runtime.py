"""The catalogue of bodies, and the only Celery code of the tasks: each kind is a Celery task that takes a job's id.

A body is a plain function of a `JobContext` and a `WorkerContext`; `job` registers it and returns it untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import Body, Handler, WorkerContext
from pigi.jobs.execution.timeouts import HARD_LIMIT_SECONDS
from pigi.jobs.queueing.celery_app import app as celery

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.kind import Kind

HANDLERS: dict[str, Handler] = {}
_worker_context: list[WorkerContext[Any]] = []


def set_worker_context(worker_context: WorkerContext[Any]) -> None:
    """Give this process what its jobs work with; the worker does so in each child."""
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
