"""Jobs as people see them: reading, listing, cancelling, retrying."""

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

__all__ = [
    "BY_KEYS",
    "BY_PIGI",
    "COUNTED",
    "PAGE",
    "WantedJobs",
    "cancel_job",
    "count_by_state",
    "list_jobs",
    "read_job",
    "retry_job",
    "revisions",
]
