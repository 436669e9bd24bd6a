"""Usage: signals become daily counts that are about nobody, and what is left of them can be looked at."""

from __future__ import annotations

from pigi.operations.usage.counting import aggregate_usage, count_waiting
from pigi.operations.usage.report import LONGEST, DayView, FeatureView, UsageView, read_usage

__all__ = ["LONGEST", "DayView", "FeatureView", "UsageView", "aggregate_usage", "count_waiting", "read_usage"]
