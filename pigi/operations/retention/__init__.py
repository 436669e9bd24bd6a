"""Retention: the sweeps that remove what is past its period, and the report that proves it."""

from __future__ import annotations

from pigi.operations.retention.report import LONGEST_PURGE, ClassReport, report_classes
from pigi.operations.retention.sweeps import BATCH, answer_probe, sweep_jobs
from pigi.operations.retention.usage import aggregate_usage
from pigi.store.holds import active_holds

__all__ = [
    "BATCH",
    "LONGEST_PURGE",
    "ClassReport",
    "active_holds",
    "aggregate_usage",
    "answer_probe",
    "report_classes",
    "sweep_jobs",
]
