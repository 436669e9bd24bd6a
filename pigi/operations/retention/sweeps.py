"""The table of sweeps: what is removed when its period is over (class, rows, column). `removal` acts on it.

Sweeps are state-based: whatever is too old goes, whenever it was last looked. `pigi.operations.retention.report`
measures with the same table how old the oldest row is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, or_, select

from pigi.domain.retention import Retention, cutoff
from pigi.jobs.model.transitions import IS_ENDED
from pigi.operations.credentials import OLD_ADDRESS
from pigi.store.billing import BillingEvent, BillingLine, BillingLink, BillingRun
from pigi.store.contact import Ticket
from pigi.store.control import IdempotencyKey, Job, Tombstone, UsageCount
from pigi.store.deletions import Deletion, Receipt
from pigi.store.egress import EgressCount
from pigi.store.exports import Export
from pigi.store.ledgers import AuditEntry, ErrorLog, FailedSignIn, Mail, RequestLog, Throttle, UsageSignal
from pigi.store.people import AccountToken, AddressUndo, ApiKey, Invitation, Registration, Session
from pigi.store.policy import PolicyNotice
from pigi.store.privacy_requests import PrivacyRequest
from pigi.store.promises import EvidenceRow
from pigi.store.records import Backup, Hold

if TYPE_CHECKING:
    from collections.abc import Callable

SWEEP_INTERVAL = timedelta(hours=1)
"""How often each class is swept (schedules/timetable.py), and so how far over its period a row may be met."""


class RemovalMode(Enum):
    """How a sweep removes rows."""

    REMOVED = "removed"
    TOMBSTONED = "turned into a tombstone, unless its kind leaves none"
    PRUNED = "removed behind a signed beginning of what stays"
    DISCARDED = "removed with the object that it stands for"
    ENTERED = "entered in the audit log where it is about an account, and removed"


class TimeFormat(Enum):
    """The form in which a column stores time, with the conversions to it and back."""

    MOMENT = (lambda moment: moment, lambda value: value)
    DAY = (
        lambda moment: moment.date(),
        # The day counts from its end.
        lambda day: datetime.combine(day + timedelta(days=1), time(), UTC),
    )
    SECONDS = (datetime.timestamp, lambda seconds: datetime.fromtimestamp(seconds, UTC))

    @property
    def write(self) -> Callable[[datetime], Any]:
        """A moment as the column holds it."""
        return self.value[0]

    @property
    def read(self) -> Callable[[Any], datetime]:
        """The moment that the column's value stands for."""
        return self.value[1]


@dataclass(frozen=True)
class Sweep:
    """Rows of ``table`` of which one of ``ages``, columns or expressions, is over the period of ``retention``.

    ``among`` narrows it to the rows whose period has begun; ``bound`` is an indexed column that is never later than the
    age, where that is an expression. ``settled`` says that nobody else changes or removes rows so old, so that they
    need not be locked before they are removed, which costs as much again. ``kept`` is a period other than the class's.
    """

    retention: Retention
    table: Any
    ages: tuple[Any, ...]
    mode: RemovalMode = RemovalMode.REMOVED
    time_format: TimeFormat = TimeFormat.MOMENT
    among: Any = None
    bound: Any = None
    settled: bool = False
    kept: timedelta | None = None

    @property
    def rows(self) -> tuple[Any, ...]:
        """The condition on rows of which the period has begun."""
        return () if self.among is None else (self.among,)

    @property
    def key(self) -> list[Any]:
        """The columns of the primary key."""
        return list(self.table.primary_key.columns)

    def due(self, moment: datetime) -> tuple[Any, ...]:
        """The condition on rows that shall go."""
        before = cutoff(self.retention, moment) if self.kept is None else moment - self.kept
        limit = self.time_format.write(before)
        bound = () if self.bound is None else (self.bound < limit,)
        return (or_(*(age < limit for age in self.ages)), *bound, *self.rows)


_LINK_MADE = case(
    # The notice may wait for a mail server longer than any link lives. NULL until its mail ended: not due.
    (
        AccountToken.purpose == OLD_ADDRESS,
        select(Mail.ended_at).where(Mail.subject_id == AccountToken.id).correlate(AccountToken).scalar_subquery(),
    ),
    else_=AccountToken.created_at,
)

SWEEPS: tuple[Sweep, ...] = (
    Sweep(Retention.JOB, Job.__table__, (Job.finished_at,), RemovalMode.TOMBSTONED, among=IS_ENDED),
    Sweep(Retention.TOMBSTONE, Tombstone.__table__, (Tombstone.buried_at,), settled=True),
    Sweep(Retention.TOKEN, AccountToken.__table__, (_LINK_MADE,), bound=AccountToken.created_at),
    Sweep(Retention.ADDRESS_UNDO, AddressUndo.__table__, (AddressUndo.created_at,)),
    Sweep(Retention.REGISTRATION, Registration.__table__, (Registration.created_at,)),
    Sweep(Retention.SESSION, Session.__table__, (Session.seen_at,)),
    Sweep(Retention.INVITATION, Invitation.__table__, (Invitation.created_at,)),
    # Whichever end came first.
    Sweep(Retention.ACCESS_KEY, ApiKey.__table__, (ApiKey.revoked_at, ApiKey.expires_at)),
    Sweep(Retention.IDEMPOTENCY, IdempotencyKey.__table__, (IdempotencyKey.created_at,)),
    Sweep(Retention.THROTTLE, Throttle.__table__, (Throttle.full_at,), time_format=TimeFormat.SECONDS),
    Sweep(
        Retention.FAILED_SIGN_IN,
        FailedSignIn.__table__,
        (FailedSignIn.day,),
        RemovalMode.ENTERED,
        time_format=TimeFormat.DAY,
    ),
    Sweep(Retention.COUNTER, UsageCount.__table__, (UsageCount.day,), time_format=TimeFormat.DAY),
    Sweep(Retention.MAIL, Mail.__table__, (Mail.created_at,)),
    Sweep(Retention.BILLING_EVENT, BillingEvent.__table__, (BillingEvent.received_at,)),
    Sweep(Retention.BILLING_LINK, BillingLink.__table__, (BillingLink.created_at,)),
    Sweep(Retention.BILLING_RUN, BillingRun.__table__, (BillingRun.began_at,), settled=True),
    Sweep(
        Retention.BILLING_LOG,
        BillingLine.__table__,
        (BillingLine.year_end,),
        time_format=TimeFormat.DAY,
        settled=True,
    ),
    Sweep(Retention.USAGE, UsageSignal.__table__, (UsageSignal.at,), settled=True),
    Sweep(Retention.ERROR_LOG, ErrorLog.__table__, (ErrorLog.at,), settled=True),
    Sweep(Retention.REQUEST_LOG, RequestLog.__table__, (RequestLog.at,), settled=True),
    Sweep(Retention.AUDIT, AuditEntry.__table__, (AuditEntry.at,), RemovalMode.PRUNED),
    # A row outlives the file that it is about: the file's name is in it.
    Sweep(Retention.EXPORT_RECORD, Export.__table__, (Export.created_at,), among=Export.state != "ready"),
    Sweep(Retention.DELETION, Deletion.__table__, (Deletion.done_at,), among=Deletion.done_at.is_not(None)),
    Sweep(Retention.RECEIPT, Receipt.__table__, (Receipt.created_at,), settled=True),
    Sweep(Retention.HOLD, Hold.__table__, (Hold.released_at,), among=Hold.released_at.is_not(None)),
    Sweep(
        Retention.PRIVACY_REQUEST,
        PrivacyRequest.__table__,
        (PrivacyRequest.answered_at,),
        among=PrivacyRequest.answered_at.is_not(None),
    ),
    Sweep(
        Retention.TICKET,
        Ticket.__table__,
        (func.coalesce(Ticket.closed_at, Ticket.answered_at),),
        among=func.coalesce(Ticket.closed_at, Ticket.answered_at).is_not(None),
        bound=Ticket.received_at,
    ),
    Sweep(Retention.NOTICE, PolicyNotice.__table__, (PolicyNotice.created_at,)),
    Sweep(Retention.EVIDENCE, EvidenceRow.__table__, (EvidenceRow.valid_until,)),
    Sweep(Retention.EGRESS, EgressCount.__table__, (EgressCount.last_at,)),
    Sweep(Retention.BACKUP, Backup.__table__, (Backup.made_at,), RemovalMode.DISCARDED),
)
"""Of classes that are rows. The erasure log is a store of objects: `pigi.operations.retention.removal` knows it."""
