"""Beat's entry point: ``celery -A schedules.app beat``. Holds no task code and no vendor's SDK."""

from __future__ import annotations

import signal
from typing import Any

from celery import signals

from pigi.jobs.queueing.celery_app import app
from pigi.logs import configure_logging
from pigi.settings import get_settings
from pigi.store.egress import guard_egress
from pigi.store.log_entries import open_logbook

__all__ = ["app"]


@signals.setup_logging.connect
def set_up_logging(**_details: Any) -> None:
    """Take logging out of Celery's hands."""
    configure_logging()
    open_logbook(get_settings().database_url, "beat")
    guard_egress(get_settings())


@signals.beat_init.connect
def stop_between_ticks(sender: Any, **_details: Any) -> None:
    """On SIGTERM and Ctrl-C end after the tick at hand, not within it.

    Celery's handler raises SystemExit wherever it strikes. In a function that SQLite calls back, that turns
    into an ordinary database error, which a tick survives: beat would go on for ever.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sender.stop())
