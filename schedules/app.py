"""Beat's door: ``celery -A schedules.app beat``. Holds no task code and no vendor's SDK."""

from __future__ import annotations

from typing import Any

from celery import signals

from pigi.jobs.queue import app
from pigi.logs import configure_logging

__all__ = ["app"]


@signals.setup_logging.connect
def set_up_logging(**_details: Any) -> None:
    """Take logging out of Celery's hands."""
    configure_logging()
