"""Jobs as people see them: reading, listing, cancelling, retrying."""

from __future__ import annotations

from pigi.operations.jobs.jobs import PAGE, cancel_job, list_jobs, read_job, retry_job, revisions

__all__ = ["PAGE", "cancel_job", "list_jobs", "read_job", "retry_job", "revisions"]
