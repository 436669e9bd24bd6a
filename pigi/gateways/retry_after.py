"""Reading Retry-After: how long a provider asks its client to wait.

Sources: RFC 9110, section 10.2.3 (Retry-After: whole seconds or an HTTP-date); ``retry-after-ms`` is an
extension that Anthropic's own SDKs read first. Some servers send fractions, so fractions are taken.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = timedelta(days=1)


def parse_retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that ``headers`` ask for, more than 0 and at most a day; None if they ask for nothing usable.

    ``headers`` ignore case or are in lower case; ``now`` is aware. A moment in the past, a negative or endless
    wait and rubbish are not usable; a wait of more than a day is taken as a day.
    """
    seconds = _number(headers.get("retry-after-ms"), 0.001)
    if seconds is None:
        seconds = _number(headers.get("retry-after"), 1.0)
    if seconds is None:
        seconds = _seconds_until(headers.get("retry-after"), now)
    if seconds is None or seconds <= 0:
        return None
    return min(timedelta(seconds=min(seconds, LONGEST.total_seconds())), LONGEST)


def _number(value: str | None, unit: float) -> float | None:
    try:
        number = float(value or "") * unit
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _seconds_until(value: str | None, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(value or "")
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (aware - now).total_seconds()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
