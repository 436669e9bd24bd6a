"""Dashboards: counts, names and latest changes for pages, each in one query."""

from __future__ import annotations

from pigi.operations.dashboards.dashboards import count_jobs, generation_names, latest_resources

__all__ = ["count_jobs", "generation_names", "latest_resources"]
