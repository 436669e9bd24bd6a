"""How long each class of record is kept, and why, written once (design, section 8).

A sweep asks `cutoff`; the policy page and the retention report read the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Retention(StrEnum):
    """The class of a record; every column of every table names one."""

    ORGANISATION = "organisation"
    ACCESS_KEY = "access_key"
    PURPOSE = "purpose"
    DRAFT = "draft"
    JOB = "job"
    TOMBSTONE = "tombstone"
    IDEMPOTENCY = "idempotency"
    COUNTER = "counter"
    OPERATIONAL = "operational"


@dataclass(frozen=True)
class Period:
    """``keep`` counts from the end that ``since`` names; None means no fixed time."""

    keep: timedelta | None
    since: str
    reason: str


PERIODS: dict[Retention, Period] = {
    Retention.ORGANISATION: Period(None, "while the organisation is active", "contract"),
    Retention.ACCESS_KEY: Period(None, "while the organisation is active", "contract"),
    Retention.PURPOSE: Period(timedelta(0), "the end of the job", "contract; promise P15"),
    Retention.DRAFT: Period(timedelta(hours=24), "the end of the job, unless accepted", "contract"),
    Retention.JOB: Period(timedelta(days=30), "the end of the job", "legitimate interest: to explain what happened"),
    Retention.TOMBSTONE: Period(
        timedelta(days=90), "the burial of the job", "legitimate interest: to answer for an ID"
    ),
    Retention.IDEMPOTENCY: Period(timedelta(hours=24), "the first request with the key", "contract: safe repeats"),
    Retention.COUNTER: Period(timedelta(days=2), "the day counted", "contract: limits"),
    Retention.OPERATIONAL: Period(None, "while Pigi runs; holds no personal data", "legitimate interest"),
}

RETRYABLE = timedelta(days=7)
"""How long a failed job keeps what a retry by hand needs."""


def keep(retention: Retention) -> timedelta:
    """The period of a class that has one; raises ValueError for a class without."""
    period = PERIODS[retention].keep
    if period is None:
        message = f"{retention} has no fixed period"
        raise ValueError(message)
    return period


def cutoff(retention: Retention, now: datetime) -> datetime:
    """The moment before which records of this class are due to go."""
    return now - keep(retention)
