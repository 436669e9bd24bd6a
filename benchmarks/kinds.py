"""A no-op kind, so that what is measured is the engine."""

from __future__ import annotations

from datetime import timedelta

from pigi.jobs.kind import Kind
from pigi.jobs.kinds import register

NOOP = register(Kind("bench.noop", queue="control", attempts=1, time_limit=timedelta(seconds=30)))
