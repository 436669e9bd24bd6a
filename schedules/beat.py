"""Celery beat's scheduler: a round a second that reads the table instead of sending messages.

Celery's own scheduler loses a period when Redis is away at its moment, and repeats it when two beats run.
This one writes to the database first (`pigi.jobs.schedules`, `pigi.jobs.recovery.pump`) and needs Redis for nothing.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery.beat import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from pigi.clock import now
from pigi.jobs.queueing.notifications import Notifier
from pigi.jobs.recovery.pump import pump
from pigi.jobs.schedules import tick
from pigi.logs import places_of
from pigi.settings import get_settings
from pigi.store.sessions import ControlDatabase
from schedules.timetable import TIMETABLE

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Pump(Scheduler):
    """Pumps and ticks once a second, for as long as beat runs."""

    def setup_schedule(self) -> None:
        """Open what a round needs, which is no key; called once by beat, never when it only inspects the class."""
        settings = get_settings()
        self.control = ControlDatabase(settings.database_url)
        self.notifier = Notifier(settings.redis_url)
        self.schedule: dict[str, Any] = {}

    def tick(self, *_args: Any, **_options: Any) -> float:
        """One round. Trouble with the database is logged and met again a second later."""
        began = time.monotonic()
        for act in (self._look_at_timetable, self._recover):
            try:
                act()
            except SQLAlchemyError as error:
                logger.warning("beat: database away (%s)", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - an error here would end beat, and with it all recovery
                logger.error("beat: %s at %s", type(error).__name__, places_of(error)[-1])  # noqa: TRY400 - its text may quote
        return max(0.05, TICK_SECONDS - (time.monotonic() - began))

    def _look_at_timetable(self) -> None:
        tick(self.control, self.notifier, TIMETABLE, now())

    def _recover(self) -> None:
        found = pump(self.control, self.notifier)
        if found.rescued or found.republished:
            logger.info("pump: rescued %d, notified again of %d", found.rescued, found.republished)

    @property
    def info(self) -> str:
        """Shown in beat's banner."""
        return f"    . {len(TIMETABLE)} schedules, kept in the control database"
