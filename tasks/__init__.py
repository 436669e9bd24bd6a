"""Bodies of jobs: what a worker can do.

A job is a function of a few lines that calls one operation; `pigi.jobs.execution` claims it, runs it, and
records how it ended. A sweep is a job that a schedule enqueued.
"""

from __future__ import annotations

from pigi.application import Application
from pigi.jobs.execution import context

WorkerContext = context.WorkerContext[Application]
"""What a body is given, besides its job."""
