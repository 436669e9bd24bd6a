"""Bodies of the probes, and of the jobs that maintain Pigi's own tables."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pigi.jobs.execution.runtime import job
from pigi.jobs.kinds import ANCHOR_AUDIT, FOLD_USAGE, PROBES, SWEEP_JOBS, SWEEPS
from pigi.operations import audit, keys, retention, usage

if TYPE_CHECKING:
    from pigi.domain.retention import Retention
    from pigi.jobs.execution.context import JobContext
    from tasks import WorkerContext


def answer_probe(context: JobContext, worker_context: WorkerContext) -> None:
    """Show that this queue has a working consumer, and note which keys for providers it has: no process has all."""
    keys.note_provider_keys(worker_context.application)
    retention.answer_probe(context)


for _probe in PROBES.values():
    job(_probe)(answer_probe)


def sweep_class(retention_class: Retention, context: JobContext, worker_context: WorkerContext) -> None:
    """Remove what is past its period of one class."""
    retention.sweep_class(context, worker_context.application, retention_class)


for _class, _kind in SWEEPS.items():
    job(_kind)(partial(sweep_class, _class))


@job(SWEEP_JOBS)
def sweep_jobs(context: JobContext, worker_context: WorkerContext) -> None:
    """Remove what is past its period of every class, as the previous release requests it."""
    retention.sweep_jobs(context, worker_context.application)


@job(ANCHOR_AUDIT)
def anchor_audit(context: JobContext, worker_context: WorkerContext) -> None:
    """Check the audit chain and sign its head."""
    audit.anchor_daily(context, worker_context.application)


@job(FOLD_USAGE)
def fold_usage(context: JobContext, worker_context: WorkerContext) -> None:
    """Turn signals of days that are over into counts without identities."""
    usage.aggregate_usage(context, worker_context.application)
