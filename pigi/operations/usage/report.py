"""What is left of usage, for operators: daily counts of features, and which were left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.usage import FEATURES
from pigi.operations.usage.counting import DAILY, oldest_waiting

if TYPE_CHECKING:
    from datetime import date

    from pigi.application import Application

LONGEST = 366
"""Days that can be looked at together."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class FeatureView:
    """A feature's counts, a day each; None where it was left out, or was used by nobody: nothing tells which."""

    event: str
    title: str
    counts: tuple[int | None, ...]

    @property
    def total(self) -> int:
        """The sum of what is shown, and of nothing else."""
        return sum(count or 0 for count in self.counts)


@dataclass(frozen=True)
class DayView:
    """A day: the sum of what is shown of it, how many features that is, and how many are left out or unused."""

    day: date
    total: int
    shown: int
    left_out: int


@dataclass(frozen=True)
class UsageView:
    """Days that were counted, the oldest first, and the features on them."""

    days: tuple[DayView, ...]
    features: tuple[FeatureView, ...]


def read_usage(application: Application, days: int = 30) -> UsageView:
    """What is left of the last ``days`` days that are over and counted; from 1 to `LONGEST`."""
    last, waiting = now().date() - ONE_DAY, oldest_waiting(application.control)
    if waiting is not None and waiting <= last:
        last = waiting - ONE_DAY
    span = [last - ONE_DAY * back for back in reversed(range(days))]
    with application.control.autocommit() as connection:
        rows = connection.execute(select(DAILY).where(DAILY.c.day.between(span[0], last)))
        counts: dict[tuple[Any, Any], Any] = {(day, event): count for day, event, count in rows}
    features = tuple(
        FeatureView(event, title, tuple(counts.get((day, event)) for day in span)) for event, title in FEATURES.items()
    )
    return UsageView(tuple(_day(day, position, features) for position, day in enumerate(span)), features)


def _day(day: date, position: int, features: tuple[FeatureView, ...]) -> DayView:
    shown = [count for count in (feature.counts[position] for feature in features) if count is not None]
    return DayView(day, sum(shown), len(shown), len(features) - len(shown))
