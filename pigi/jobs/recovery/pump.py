"""The pump: one round a second of every recovery service. Two pumps at once do no harm."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError

from pigi.jobs.heartbeats import record
from pigi.jobs.recovery.cleanup import find_cleanups
from pigi.jobs.recovery.release import release_waiting
from pigi.jobs.recovery.republish import republish
from pigi.jobs.recovery.rescue import rescue
from pigi.logs import RateLimitFilter, places_of
from pigi.store.outages import is_away

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.jobs.queueing.notifications import Notifier
    from pigi.jobs.queueing.partitions import Notification
    from pigi.store.sessions import ControlDatabase

logger = logging.getLogger(__name__)
# A service that fails does so each second.
logger.addFilter(RateLimitFilter())

Found = TypeVar("Found")


@dataclass(frozen=True)
class PumpResult:
    """What one round found, and which services failed in it."""

    rescued: int
    released: int
    republished: int
    cleanups: int
    failed: tuple[str, ...] = ()


def pump(control: ControlDatabase, notifier: Notifier) -> PumpResult:
    """One round. Raises DBAPIError while the database is away; any other failure stops its own service alone."""
    failed: list[str] = []

    def run(name: str, service: Callable[[], Found], nothing: Found) -> Found:
        try:
            return service()
        except Exception as error:
            if isinstance(error, DBAPIError) and is_away(error):
                raise
            # Where, never what: an exception's text may quote content.
            logger.error("pump: %s failed (%s) at %s", name, type(error).__name__, places_of(error)[-1])  # noqa: TRY400
            failed.append(name)
            return nothing

    def notify(name: str, service: Callable[[], list[Notification]]) -> int:
        nothing: list[Notification] = []
        found = run(name, service, nothing)
        notifier.notify(found)
        return len(found)

    rescued = run("rescue", lambda: rescue(control), 0)
    released = notify("release", lambda: release_waiting(control))
    republished = notify("republish", lambda: republish(control, notifier))
    cleanups = notify("cleanup", lambda: find_cleanups(control, notifier))
    with control.autocommit() as connection:
        record(connection, "pump", " ".join(failed) or None)
    return PumpResult(rescued, released, republished, cleanups, tuple(failed))
