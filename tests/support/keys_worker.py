"""`worker.app` that seals two values anew at a time, so that kills meet rotations in the middle. For drills only."""

from __future__ import annotations

from pigi.operations.keys import data_keys
from worker.app import app

__all__ = ["app"]

data_keys.BATCH = 2
