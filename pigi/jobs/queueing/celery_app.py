"""The one Celery object, of workers and beat. Web uses `pigi.jobs.queueing.notifications` alone."""

from __future__ import annotations

from celery import Celery

app = Celery("pigi", config_source="celeryconfig", set_as_current=True)
