"""Retention: the sweeps that remove what is past its period, and the report that proves it."""

from __future__ import annotations

from pigi.operations.retention.report import ClassReport, report_classes
from pigi.operations.retention.sweeps import BATCH, answer_probe, sweep_jobs
from pigi.operations.retention.usage import fold

__all__ = ["BATCH", "ClassReport", "answer_probe", "fold", "report_classes", "sweep_jobs"]
