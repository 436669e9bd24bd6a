"""Retention: sweeps that remove what is past its period, holds that stop them, and the report that proves it."""

from __future__ import annotations

from pigi.operations.retention.holds import (
    HOLDABLE,
    REASON_LENGTH,
    HoldView,
    NewHold,
    add_hold,
    approve_hold,
    list_holds,
    read_hold,
    release_hold,
)
from pigi.operations.retention.ownership import free
from pigi.operations.retention.removal import BATCH
from pigi.operations.retention.report import LONGEST_PURGE, ClassReport, report_classes
from pigi.operations.retention.running import answer_probe, run_sweep, sweep_class, sweep_jobs
from pigi.store.holds import active_holds

__all__ = [
    "BATCH",
    "HOLDABLE",
    "LONGEST_PURGE",
    "REASON_LENGTH",
    "ClassReport",
    "HoldView",
    "NewHold",
    "active_holds",
    "add_hold",
    "answer_probe",
    "approve_hold",
    "free",
    "list_holds",
    "read_hold",
    "release_hold",
    "report_classes",
    "run_sweep",
    "sweep_class",
    "sweep_jobs",
]
