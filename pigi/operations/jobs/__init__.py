"""Jobs as people see them: reading, listing, cancelling, retrying; and all of them together, for operators."""

from __future__ import annotations

from pigi.operations.jobs.jobs import (
    BY_KEYS,
    BY_PIGI,
    COUNTED,
    PAGE,
    WantedJobs,
    cancel_job,
    count_by_state,
    list_jobs,
    read_job,
    retry_job,
    revisions,
)
from pigi.operations.jobs.oversight import (
    QueueView,
    ScheduleView,
    UnknownEffect,
    count_late_schedules,
    count_unknown,
    read_queues,
    read_schedules,
    unknown_effects,
)
from pigi.operations.jobs.together import BATCH, Matching, Outcome, cancel_all, retry_all

__all__ = [
    "BATCH",
    "BY_KEYS",
    "BY_PIGI",
    "COUNTED",
    "PAGE",
    "Matching",
    "Outcome",
    "QueueView",
    "ScheduleView",
    "UnknownEffect",
    "WantedJobs",
    "cancel_all",
    "cancel_job",
    "count_by_state",
    "count_late_schedules",
    "count_unknown",
    "list_jobs",
    "read_job",
    "read_queues",
    "read_schedules",
    "retry_all",
    "retry_job",
    "revisions",
    "unknown_effects",
]
