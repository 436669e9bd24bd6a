"""Pigi's worker with the no-op kind."""

from __future__ import annotations

from benchmarks.kinds import NOOP
from pigi.jobs.execution.runtime import job
from worker.app import app

__all__ = ["app"]

job(NOOP)(lambda _context, _worker_context: None)
