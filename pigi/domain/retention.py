"""How long each class of record is kept, and why, written once.

A sweep asks `cutoff`; the policy page and the retention report read the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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
    BILLING_LOG = "billing_log"
    BILLING_EVENT = "billing_event"
    BILLING_LINK = "billing_link"
    BILLING_RUN = "billing_run"
    EXPORT = "export"
    EXPORT_RECORD = "export_record"
    IMPORT = "import"
    DELETION = "deletion"
    RECEIPT = "receipt"
    ERASURE = "erasure"
    BACKUP = "backup"
    HOLD = "hold"
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
    # Seven calendar years have two leap days at most: never a day less, and one more than that, since the database
    # refuses to remove what is younger by its own clock.
    Retention.BILLING_LOG: Period(
        timedelta(days=7 * 365 + 3), "the end of its financial year", "law: records of account; promise P27"
    ),
    Retention.BILLING_EVENT: Period(
        timedelta(days=30), "its receipt", "contract: Stripe tells of an event again for so long, and it counts once"
    ),
    Retention.BILLING_LINK: Period(timedelta(hours=24), "the request for it", "contract: the page is open for so long"),
    Retention.BILLING_RUN: Period(timedelta(days=90), "its beginning", "legitimate interest: to see drift come and go"),
    Retention.EXPORT: Period(timedelta(days=7), "its end, as a file", "contract; promises P28 and P31"),
    Retention.EXPORT_RECORD: Period(
        timedelta(days=30), "the request for the export", "legitimate interest: to answer who took data along"
    ),
    Retention.IMPORT: Period(timedelta(days=7), "the upload, unless accepted or discarded", "contract"),
    Retention.DELETION: Period(
        timedelta(days=30), "its end, without saying of whom", "accountability: to show that it was on time"
    ),
    Retention.RECEIPT: Period(timedelta(days=730), "the deletion's end", "accountability; promise P26"),
    # Longer than any backup that it has to be replayed over.
    Retention.ERASURE: Period(timedelta(days=90), "the erasure", "law: what was deleted stays deleted; promise P26"),
    Retention.BACKUP: Period(timedelta(days=21), "its making", "legitimate interest: to recover; promise P26"),
    Retention.HOLD: Period(timedelta(days=730), "its release", "accountability: why something was kept longer"),
    Retention.OPERATIONAL: Period(None, "while Pigi runs; holds no personal data", "legitimate interest"),
}


ENDED_OTHERWISE: dict[Retention, str] = {
    Retention.PURPOSE: "erased by the job's cleanup, before its end can be seen",
    Retention.DRAFT: "erased by the job's cleanup, which comes due a day after the end",
    Retention.EXPORT: "removed by the job's cleanup, which comes due when the link expires",
    Retention.IMPORT: "removed when it is accepted or discarded, else by the job's cleanup after its period",
}
"""Classes with a period of which nothing is swept, and what ends them. The others have a sweep each."""

LINKED_BY: dict[Retention, tuple[Retention, ...]] = {
    Retention.REQUEST_LOG: (Retention.ERROR_LOG,),
    Retention.TOMBSTONE: (Retention.ERROR_LOG,),
    Retention.ACCESS_KEY: (Retention.IDEMPOTENCY,),
}
"""Classes through which rows of others lead to their organisation; a hold on the others keeps these as well."""


def financial_year_end(moment: datetime) -> date:
    """The last day of the financial year of ``moment``: the calendar year, in UTC."""
    return date(moment.astimezone(UTC).year, 12, 31)


GRACE = timedelta(days=7)
"""How long a deleted organisation can be restored. What is left of it then goes within a day (promise P26)."""
FINAL_WITHIN = timedelta(days=30)
"""By when a deletion must be final: the backups of its last day are gone by then too (promise P26)."""
WARNED_BEFORE = timedelta(days=1)
"""How long before a deletion becomes final its owners are told once more."""
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
