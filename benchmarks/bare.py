"""Bare Celery with its defaults: what a user would pick instead of the engine."""

from __future__ import annotations

import os

from celery import Celery

app = Celery("bare", broker=os.environ["REDIS_URL"].replace("unix://", "redis+socket://", 1))
app.conf.broker_connection_retry_on_startup = True
app.conf.task_default_queue = "bare"


@app.task(name="bare.noop", ignore_result=True)
def noop(_job_id: str) -> None:
    """Nothing."""
