"""Dashboards: counts, names and latest changes for pages, each in one query."""

from __future__ import annotations

from pigi.operations.dashboards.dashboards import (
    HourView,
    count_jobs,
    generation_names,
    jobs_by_hour,
    latest_resources,
)

__all__ = ["HourView", "count_jobs", "generation_names", "jobs_by_hour", "latest_resources"]
