"""Pigi's worker with one more kind: a no-op, so that what is measured is the engine."""

from __future__ import annotations

from datetime import timedelta

from pigi.jobs.kinds import Kind, register
from worker.app import app

NOOP = register(Kind("bench.noop", queue="control", attempts=1, time_limit=timedelta(seconds=30)))


def register_body() -> None:
    """In a worker only: the asker needs no body."""
    from tasks.runtime import job

    job(NOOP)(lambda _context, _hands: None)


register_body()
__all__ = ["NOOP", "app"]
