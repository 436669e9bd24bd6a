"""The one Celery object. Web rings `pigi.jobs.queueing.notifications`; only workers and beat use this."""

from __future__ import annotations

from celery import Celery

app = Celery("pigi", config_source="celeryconfig", set_as_current=True)
