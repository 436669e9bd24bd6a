"""Pigi's beat, knowing the no-op kind: the pump notifies only of kinds of its catalogue."""

from __future__ import annotations

import benchmarks.kinds  # noqa: F401 - importing registers
from schedules.app import app

__all__ = ["app"]
