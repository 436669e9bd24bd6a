"""How long each class of record is kept, and why, written once.

A sweep asks `cutoff`; the policy page and the retention report read the reasons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum


class Basis(StrEnum):
    """The legal basis (GDPR article 6(1), points b, c and f)."""

    CONTRACT = "contract"
    LAW = "law"
    INTEREST = "legitimate interest"


class Retention(StrEnum):
    """The class of a record; every column of every table names one."""

    ORGANISATION = "organisation"
    CONFIGURATION = "configuration"
    ACCOUNT = "account"
    MEMBERSHIP = "membership"
    REGISTRATION = "registration"
    TOKEN = "token"  # noqa: S105 - a class's name
    ADDRESS_UNDO = "address_undo"
    SESSION = "session"
    INVITATION = "invitation"
    ACCESS_KEY = "access_key"
    MAIL = "mail"
    THROTTLE = "throttle"
    FAILED_SIGN_IN = "failed_sign_in"
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
    EVIDENCE = "evidence"
    PRIVACY_REQUEST = "privacy_request"
    EGRESS = "egress"
    TICKET = "ticket"
    POLICY = "policy"
    NOTICE = "notice"
    OPERATIONAL = "operational"


@dataclass(frozen=True)
class Period:
    """``keep`` counts from what ``since`` names; None means no fixed time. With ``years`` it is their longest.

    ``reason`` begins with why it is kept at all, of which `basis` makes the legal basis.
    """

    keep: timedelta | None
    since: str
    reason: str
    years: int = 0

    @property
    def basis(self) -> Basis:
        """The legal basis of keeping it; raises KeyError for a reason that begins otherwise."""
        return _BASES[re.split("[:;]", self.reason)[0]]

    @property
    def words(self) -> str:
        """The period as people say it, such as ``30 days after the end of the job``."""
        if self.keep is None:
            return self.since
        if not self.keep:
            return f"until {self.since}"
        hours = int(self.keep.total_seconds() // 3600)
        amount = f"{self.years} years" if self.years else f"{hours // 24} days" if hours > DAY_HOURS else _plural(hours)
        return f"{amount} after {self.since}"


DAY_HOURS = 24
_BASES = {
    "contract": Basis.CONTRACT,
    "law": Basis.LAW,
    # To show that the law was kept is an obligation of its own (GDPR, articles 5(2) and 24).
    "accountability": Basis.LAW,
    "legitimate interest": Basis.INTEREST,
}


def _plural(hours: int) -> str:
    return "1 hour" if hours == 1 else f"{hours} hours"


TITLES: dict[Retention, str] = {
    Retention.ORGANISATION: "Organisations",
    Retention.CONFIGURATION: "Projects, resources and revisions",
    Retention.ACCOUNT: "Accounts",
    Retention.MEMBERSHIP: "Memberships",
    Retention.REGISTRATION: "Registrations",
    Retention.TOKEN: "Mailed links",
    Retention.ADDRESS_UNDO: "Addresses that can be brought back",
    Retention.SESSION: "Sessions",
    Retention.INVITATION: "Invitations",
    Retention.ACCESS_KEY: "API keys",
    Retention.MAIL: "Records of mails",
    Retention.THROTTLE: "Counts of tries at signing in",
    Retention.FAILED_SIGN_IN: "Counts of wrong passwords",
    Retention.AUDIT: "Audit log",
    Retention.REQUEST_LOG: "Request log",
    Retention.ERROR_LOG: "Error log",
    Retention.USAGE: "Signs of use",
    Retention.PURPOSE: "Purposes of generations",
    Retention.DRAFT: "Drafts",
    Retention.JOB: "Jobs",
    Retention.TOMBSTONE: "What is left of old jobs",
    Retention.IDEMPOTENCY: "Answers for repeated requests",
    Retention.COUNTER: "Daily counts for limits",
    Retention.BILLING_LOG: "Billing log",
    Retention.BILLING_EVENT: "Events at Stripe",
    Retention.BILLING_LINK: "Links to Stripe's pages",
    Retention.BILLING_RUN: "Reconciliations with Stripe",
    Retention.EXPORT: "Files of exports",
    Retention.EXPORT_RECORD: "Records of exports",
    Retention.IMPORT: "Imports and their files",
    Retention.DELETION: "Records of deletions",
    Retention.RECEIPT: "Receipts of deletions",
    Retention.ERASURE: "Erasure log",
    Retention.BACKUP: "Backups",
    Retention.HOLD: "Legal holds",
    Retention.EVIDENCE: "Evidence of promises",
    Retention.PRIVACY_REQUEST: "Requests about privacy",
    Retention.EGRESS: "Counts of connections",
    Retention.TICKET: "Messages to whoever runs Pigi",
    Retention.POLICY: "Versions of the policy",
    Retention.NOTICE: "Notices of changes of the policy",
    Retention.OPERATIONAL: "Records of the machinery",
}
"""What people are told that a class holds."""


PERIODS: dict[Retention, Period] = {
    Retention.ORGANISATION: Period(None, "while the organisation is active", "contract"),
    Retention.CONFIGURATION: Period(None, "while the organisation is active", "contract; promise P25"),
    Retention.ACCOUNT: Period(None, "while the account is active", "contract"),
    Retention.MEMBERSHIP: Period(None, "while the organisation and the account are active", "contract"),
    Retention.REGISTRATION: Period(timedelta(hours=24), "the request, unless confirmed", "contract"),
    Retention.TOKEN: Period(timedelta(hours=1), "the request, unless used; of a notice, its mail", "contract"),
    Retention.ADDRESS_UNDO: Period(
        timedelta(days=7), "the change, unless undone", "legitimate interest: security of accounts"
    ),
    Retention.SESSION: Period(
        timedelta(hours=12),
        "its last use, unless signed out; at most 30 days after signing in",
        "contract; promise P35",
    ),
    Retention.INVITATION: Period(timedelta(days=14), "the invitation, unless accepted or revoked", "contract"),
    Retention.ACCESS_KEY: Period(timedelta(days=90), "its end", "contract; after its end to show which key did what"),
    Retention.MAIL: Period(timedelta(days=30), "the request for the mail", "legitimate interest: to answer for mail"),
    Retention.THROTTLE: Period(
        timedelta(days=1), "all tries are free again", "legitimate interest: security of accounts"
    ),
    # An hour for clocks that differ, and for what is under way at midnight.
    Retention.FAILED_SIGN_IN: Period(
        timedelta(hours=1), "the day counted", "legitimate interest: security of accounts"
    ),
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
    # Counted in years, as the database does that refuses before. Seven of them have two leap days at most.
    Retention.BILLING_LOG: Period(
        timedelta(days=7 * 365 + 2), "the end of its financial year", "law: records of account; promise P27", years=7
    ),
    Retention.BILLING_EVENT: Period(
        timedelta(days=30), "its receipt", "contract: Stripe tells of an event again for so long, and it counts once"
    ),
    Retention.BILLING_LINK: Period(timedelta(hours=24), "the request for it", "contract: the page is open for so long"),
    Retention.BILLING_RUN: Period(timedelta(days=90), "its beginning", "legitimate interest: to see drift come and go"),
    Retention.EXPORT: Period(timedelta(days=7), "the file is written", "contract; promises P28 and P31"),
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
    Retention.EVIDENCE: Period(
        timedelta(days=90), "the day until which it counts", "accountability: to show since when a promise holds"
    ),
    Retention.PRIVACY_REQUEST: Period(
        timedelta(days=730), "the answer", "accountability: to show what was asked and answered; promise P34"
    ),
    Retention.EGRESS: Period(timedelta(days=30), "the last connection counted", "accountability; promises P06 and P22"),
    Retention.TICKET: Period(
        timedelta(days=730),
        "its closing, or its answer if nobody closed it",
        "accountability: to show what was reported and answered; promises P12 and P21",
    ),
    Retention.POLICY: Period(None, "while Pigi runs", "accountability: which policy counted when; promise P38"),
    Retention.NOTICE: Period(
        timedelta(days=730), "the request for the notice", "accountability: to show who was told of what; promise P39"
    ),
    Retention.OPERATIONAL: Period(None, "while Pigi runs; holds no personal data", "legitimate interest"),
}


ENDED_OTHERWISE: dict[Retention, str] = {
    Retention.PURPOSE: "erased by the job's cleanup, before its end can be seen",
    Retention.DRAFT: "erased by the job's cleanup, which comes due a day after the end",
    Retention.EXPORT: "removed by the job's cleanup, which comes due when the link expires",
    Retention.IMPORT: "removed when it is accepted or discarded, else by the job's cleanup after its period",
}
"""Classes with a period of which nothing is swept, and what ends them. The others have a sweep each."""

SWEPT: tuple[Retention, ...] = tuple(
    retention for retention, period in PERIODS.items() if period.keep is not None and retention not in ENDED_OTHERWISE
)
"""The classes that a sweep each removes."""

NEVER_HELD: dict[Retention, str] = {
    Retention.PURPOSE: "a purpose is erased when its job ends, whatever else is wanted (promise P15)",
    **dict.fromkeys(
        (
            Retention.ACCOUNT,
            Retention.REGISTRATION,
            Retention.TOKEN,
            Retention.ADDRESS_UNDO,
            Retention.SESSION,
            Retention.THROTTLE,
            Retention.FAILED_SIGN_IN,
            Retention.PRIVACY_REQUEST,
            Retention.TICKET,
            Retention.NOTICE,
        ),
        "it belongs to a person and to no organisation",
    ),
    **dict.fromkeys(
        (
            Retention.BILLING_RUN,
            Retention.ERASURE,
            Retention.BACKUP,
            Retention.EVIDENCE,
            Retention.EGRESS,
            Retention.POLICY,
            Retention.OPERATIONAL,
        ),
        "it is about the installation, not about an organisation",
    ),
    **dict.fromkeys(
        (Retention.DELETION, Retention.RECEIPT, Retention.HOLD), "it records an act and says no more of whom"
    ),
}
"""Classes that no legal hold can be of, and why; a hold of any other keeps what belongs to the organisation."""
HOLD_REVIEW = timedelta(days=90)
"""How far away the review of a hold may be."""
HELD_AGAIN = timedelta(hours=1)
"""When the cleanup of a job comes again that a hold has kept from erasing something."""

LINKED_BY: dict[Retention, tuple[Retention, ...]] = {
    Retention.REQUEST_LOG: (Retention.ERROR_LOG,),
    Retention.TOMBSTONE: (Retention.ERROR_LOG,),
    Retention.ACCESS_KEY: (Retention.IDEMPOTENCY,),
}
"""Classes through which rows of others lead to their organisation; a hold on the others keeps these as well."""


def financial_year_end(moment: datetime) -> date:
    """The last day of the financial year of ``moment``: the calendar year, in UTC."""
    return date(moment.astimezone(UTC).year, 12, 31)


SESSION_AGE = timedelta(days=30)
"""How long after signing in a session ends, however much it is used (OWASP ASVS 5.0.0, 7.3.2)."""
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
    period = PERIODS[retention]
    return _years_later(now, -period.years) if period.years else now - keep(retention)


def end(retention: Retention, began: datetime) -> datetime:
    """When the period is over that began at this moment."""
    period = PERIODS[retention]
    return _years_later(began, period.years) if period.years else began + keep(retention)


def _years_later(moment: datetime, years: int) -> datetime:
    """The same day and time so many years later; 1 March for a 29 February that the year does not have."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)
