"""Celery beat's scheduler: a tick a second that reads the table instead of sending messages.

Celery's own scheduler loses a period when Redis is away at its moment, and repeats it when two beats run.
This one writes to the database first (`pigi.jobs.schedules`, `pigi.jobs.recovery.pump`) and needs Redis for nothing.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.beat import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from pigi.application import Application
from pigi.clock import now
from pigi.jobs.recovery.pump import pump
from pigi.jobs.schedules import tick
from schedules.timetable import TIMETABLE

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Pump(Scheduler):
    """Pumps and ticks once a second, for as long as beat runs."""

    def setup_schedule(self) -> None:
        """Open the application; called once by beat, never when it only inspects the class."""
        self.application = Application.open()
        self.schedule: dict[str, Any] = {}

    def tick(self, *_args: Any, **_options: Any) -> float:
        """One round. Trouble with the database is logged and met again a second later."""
        began = time.monotonic()
        try:
            tick(self.application.control, self.application.notifier, TIMETABLE, now())
            found = pump(self.application.control, self.application.notifier)
        except SQLAlchemyError as error:
            logger.warning("pump: database away (%s)", type(error).__name__)
        else:
            if found.rescued or found.republished:
                logger.info("pump: taken back %d, rung again %d", found.rescued, found.republished)
        return max(0.05, TICK_SECONDS - (time.monotonic() - began))

    @property
    def info(self) -> str:
        """Shown in beat's banner."""
        return f"    . {len(TIMETABLE)} schedules, kept in the control database"
