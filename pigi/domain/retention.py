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
    CONFIGURATION = "configuration"
    ACCOUNT = "account"
    MEMBERSHIP = "membership"
    REGISTRATION = "registration"
    TOKEN = "token"  # noqa: S105 - a class's name
    SESSION = "session"
    INVITATION = "invitation"
    ACCESS_KEY = "access_key"
    MAIL = "mail"
    THROTTLE = "throttle"
    AUDIT = "audit"
    REQUEST_LOG = "request_log"
    ERROR_LOG = "error_log"
    USAGE = "usage"
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
    Retention.CONFIGURATION: Period(None, "while the organisation is active", "contract; promise P25"),
    Retention.ACCOUNT: Period(None, "while the account is active", "contract"),
    Retention.MEMBERSHIP: Period(None, "while the organisation and the account are active", "contract"),
    Retention.REGISTRATION: Period(timedelta(hours=24), "the request, unless confirmed", "contract"),
    Retention.TOKEN: Period(timedelta(hours=1), "the request, unless used; of a notice, its mail", "contract"),
    Retention.SESSION: Period(timedelta(hours=12), "its last use, unless signed out", "contract; promise P35"),
    Retention.INVITATION: Period(timedelta(days=14), "the invitation, unless accepted or revoked", "contract"),
    Retention.ACCESS_KEY: Period(timedelta(days=90), "its end", "accountability: which key did what"),
    Retention.MAIL: Period(timedelta(days=30), "the request for the mail", "legitimate interest: to answer for mail"),
    Retention.THROTTLE: Period(timedelta(days=1), "the last try", "legitimate interest: security of accounts"),
    Retention.AUDIT: Period(timedelta(days=730), "the act", "accountability; promise P19"),
    Retention.REQUEST_LOG: Period(timedelta(days=14), "the request", "legitimate interest; promise P04"),
    Retention.ERROR_LOG: Period(timedelta(days=30), "the error", "legitimate interest; promise P04"),
    Retention.USAGE: Period(timedelta(days=2), "the use", "legitimate interest; promises P04 and P11"),
    Retention.PURPOSE: Period(timedelta(0), "the end of the job", "contract; promise P15"),
    # An accepted draft leaves its generation in the transaction that makes it configuration.
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
