"""Counts of connections by day and recipient, and how the guard of a process comes by them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from pigi import egress
from pigi.clock import now
from pigi.domain.retention import Retention
from pigi.store import log_entries
from pigi.store.base import ControlBase, technical
from pigi.store.instants import Instant
from pigi.store.logbook import LogEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.settings import Settings

CODE = String(40)
OF = Retention.EGRESS


class EgressCount(ControlBase):
    """How often a day's connections went to a recipient, or were refused. Not by whom, for whom, or where to."""

    __tablename__ = "egress"

    day: Mapped[date] = mapped_column(Date, primary_key=True, info=technical("which day (UTC)", OF))
    recipient: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("who, by its name in the list", OF))
    outcome: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("begun or refused", OF))
    connections: Mapped[int] = mapped_column(Integer, info=technical("how many", OF))
    last_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when the last was", OF))


EGRESS: Any = EgressCount.__table__


def guard_egress(settings: Settings) -> None:
    """From now on this process and its forks connect to what the settings name and nowhere else; safe to repeat.

    Counts and alarms go to the process's logbook (`pigi.store.log_entries`).
    """
    egress.install(egress.Guard(egress.destinations_of(settings), _count, _alarm))


def _count(recipient: str, outcome: str) -> None:
    moment = now()
    key = {"day": moment.date(), "recipient": recipient, "outcome": outcome}
    log_entries.put(LogEntry(EGRESS, {**key, "connections": 1, "last_at": moment}, adds="connections"))


def _alarm(places: Sequence[str]) -> None:
    log_entries.put(log_entries.on_stderr(log_entries.error_entry("pigi.egress", "EgressRefused", places)))
