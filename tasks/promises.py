"""Bodies of the checks of promises."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import BEGIN_ROUND, CHECKS, WATCH_PROMISES
from pigi.operations import promises

if TYPE_CHECKING:
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


def check_group(group: str, context: JobContext, worker_context: WorkerContext) -> None:
    """Check the controls of a group."""
    promises.check_group(context, worker_context.application, group)


for _group, _kind in CHECKS.items():
    job(_kind)(partial(check_group, _group))


@job(BEGIN_ROUND)
def begin_round(context: JobContext, worker_context: WorkerContext) -> None:
    """Begin what the canary tries next."""
    promises.begin_round(context, worker_context.application)


@job(WATCH_PROMISES)
def watch(context: JobContext, worker_context: WorkerContext) -> None:
    """Tell operators what turned."""
    promises.watch(context, worker_context.application)
