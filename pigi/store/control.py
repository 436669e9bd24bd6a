"""Tables of the control database: who is a tenant, what was requested, what happened. No content.

Job columns are described in docs/state-machines.md. People are in `pigi.store.people`, what happened besides jobs in
`pigi.store.ledgers`; what customers write lives in `pigi.store.tenant`.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.privacy import Recipient
from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, label, pseudonym, secret, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
DELETED = text("deletion_at IS NOT NULL")
WAITING = text("published_at IS NULL AND state IN ('queued', 'retrying')")
HAS_ENDED = text("finished_at IS NOT NULL")
UNKNOWN = text("state = 'unknown'")
PUBLISHED = text("published_at IS NOT NULL AND state IN ('queued', 'retrying')")


class Organisation(ControlBase):
    """A tenant. ``epoch`` rises when it is deleted or restricted, and fences every job requested before."""

    __tablename__ = "organisation"
    __table_args__ = (
        Index("ix_organisation_deletion_at", "deletion_at", sqlite_where=DELETED, postgresql_where=DELETED),
    )

    id: Mapped[str] = mapped_column(
        ID, primary_key=True, info=pseudonym("tells tenants apart", Retention.ORGANISATION, (Recipient.STRIPE,))
    )
    name: Mapped[str] = mapped_column(
        String(120), info=label("shown to its members", Retention.ORGANISATION, (Recipient.MAIL, Recipient.STRIPE))
    )
    state: Mapped[str] = mapped_column(
        CODE, default="active", info=technical("what may be done", Retention.ORGANISATION)
    )
    epoch: Mapped[int] = mapped_column(Integer, default=1, info=technical("fences jobs", Retention.ORGANISATION))
    schema_revision: Mapped[str] = mapped_column(
        String(20), default="", info=technical("which migrations its database had", Retention.ORGANISATION)
    )
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.ORGANISATION))
    deletion_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("when its deletion was requested", Retention.ORGANISATION)
    )
    second_factor: Mapped[bool] = mapped_column(
        Boolean,
        default=False,
        server_default=false(),
        info=technical("whether its members need a second factor", Retention.ORGANISATION),
    )
    canary: Mapped[bool] = mapped_column(
        Boolean,
        default=False,
        server_default=false(),
        info=technical("whether it is Pigi's own, for probes, and nobody's", Retention.ORGANISATION),
    )
    rules: Mapped[str | None] = mapped_column(
        Text, info=technical("which rules for its resources refuse, and which warn", Retention.ORGANISATION)
    )


class DataKey(ControlBase):
    """An organisation's data key, wrapped by the keyring; destroying the row destroys what it sealed."""

    __tablename__ = "data_key"

    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, info=pseudonym("whose key", Retention.ORGANISATION)
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, info=technical("rotation", Retention.ORGANISATION))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary, info=secret("opens sealed columns", Retention.ORGANISATION))
    keyring_id: Mapped[str] = mapped_column(CODE, info=technical("which key wraps it", Retention.ORGANISATION))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("key age (P20)", Retention.ORGANISATION))
    emptied_at: Mapped[datetime | None] = mapped_column(
        Instant, info=technical("since when nothing is sealed with it", Retention.ORGANISATION)
    )


class Job(ControlBase):
    """A job. This row is the job; the message in Redis only notifies of it."""

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("schedule", "period"),
        Index("ix_job_waiting", "partition", "due_at", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_job_due", "due_at", "partition", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_job_rung", "kind", "published_at", sqlite_where=PUBLISHED, postgresql_where=PUBLISHED),
        Index(
            "ix_job_occupying",
            "partition",
            sqlite_where=text("published_at IS NOT NULL"),
            postgresql_where=text("published_at IS NOT NULL"),
        ),
        Index(
            "ix_job_leased",
            "lease_until",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
        Index(
            "ix_job_closing",
            "cleanup_at",
            sqlite_where=text("close_at IS NOT NULL"),
            postgresql_where=text("close_at IS NOT NULL"),
        ),
        Index("ix_job_organisation", "organisation_id", "id"),
        # Sweeps and the retention report look at the oldest of each kind.
        Index("ix_job_ended", "kind", "finished_at", sqlite_where=HAS_ENDED, postgresql_where=HAS_ENDED),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the job", Retention.JOB))
    kind: Mapped[str] = mapped_column(CODE, info=technical("what to do", Retention.JOB))
    queue: Mapped[str] = mapped_column(CODE, info=technical("who does it", Retention.JOB))
    # Three columns keep the names under which they were first stored; only here are both known.
    partition: Mapped[str] = mapped_column(
        "lane", String(80), key="partition", info=pseudonym("fairness: organisation and queue", Retention.JOB)
    )
    organisation_id: Mapped[str | None] = mapped_column(
        ForeignKey("organisation.id"), info=pseudonym("for whom", Retention.JOB)
    )
    epoch: Mapped[int] = mapped_column(Integer, default=0, info=technical("fence", Retention.JOB))
    subject_id: Mapped[str | None] = mapped_column(ID, info=technical("what it is about", Retention.JOB))
    requested_by: Mapped[str] = mapped_column(
        "asked_by", String(80), key="requested_by", info=pseudonym("who requested it", Retention.JOB)
    )

    state: Mapped[str] = mapped_column(CODE, info=technical("how far it is", Retention.JOB))
    reason: Mapped[str | None] = mapped_column(CODE, info=technical("why", Retention.JOB))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("age", Retention.JOB))
    due_at: Mapped[datetime] = mapped_column(Instant, info=technical("not before", Retention.JOB))
    deadline_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("not after", Retention.JOB))
    published_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("notified", Retention.JOB))
    started_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("first start", Retention.JOB))
    finished_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("end", Retention.JOB))
    cleanup_at: Mapped[datetime | None] = mapped_column(
        "close_at", Instant, key="cleanup_at", info=technical("when its cleanup is due", Retention.JOB)
    )
    lease_token: Mapped[str | None] = mapped_column(ID, info=technical("who holds it", Retention.JOB))
    lease_until: Mapped[datetime | None] = mapped_column(Instant, info=technical("until when", Retention.JOB))
    attempt: Mapped[int] = mapped_column(Integer, default=0, info=technical("claims so far", Retention.JOB))
    failures: Mapped[int] = mapped_column(Integer, default=0, info=technical("temporary failures", Retention.JOB))
    lost: Mapped[int] = mapped_column(Integer, default=0, info=technical("leases lost", Retention.JOB))
    cancel_requested_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("cancel", Retention.JOB))

    progress_done: Mapped[int | None] = mapped_column(Integer, info=technical("progress", Retention.JOB))
    progress_total: Mapped[int | None] = mapped_column(Integer, info=technical("progress", Retention.JOB))
    progress_note: Mapped[str | None] = mapped_column(CODE, info=technical("progress, a fixed word", Retention.JOB))
    revision: Mapped[int] = mapped_column(Integer, default=1, info=technical("counts visible changes", Retention.JOB))
    timeline: Mapped[str] = mapped_column(Text, default="", info=technical("what happened when", Retention.JOB))

    schedule: Mapped[str | None] = mapped_column(CODE, info=technical("which schedule requested it", Retention.JOB))
    period: Mapped[str | None] = mapped_column(String(32), info=technical("for which period", Retention.JOB))

    # The previous release's inserts do not name it.
    cleanup_failures: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0", info=technical("how often its cleanup failed", Retention.JOB)
    )


class Effect(ControlBase):
    """Something a job did to the world outside its own row: intended, done, or unknown."""

    __tablename__ = "effect"
    __table_args__ = (Index("ix_effect_unknown", "settled_at", sqlite_where=UNKNOWN, postgresql_where=UNKNOWN),)

    job_id: Mapped[str] = mapped_column(
        ForeignKey("job.id", ondelete="CASCADE"), primary_key=True, info=technical("which job", Retention.JOB)
    )
    key: Mapped[str] = mapped_column(String(80), primary_key=True, info=technical("which effect", Retention.JOB))
    state: Mapped[str] = mapped_column(CODE, info=technical("intended, done or unknown", Retention.JOB))
    policy: Mapped[str] = mapped_column(CODE, info=technical("how it is kept single", Retention.JOB))
    tries: Mapped[int] = mapped_column(Integer, default=1, info=technical("times begun", Retention.JOB))
    reference: Mapped[str | None] = mapped_column(String(255), info=technical("the provider's id", Retention.JOB))
    intended_at: Mapped[datetime] = mapped_column(Instant, info=technical("begun", Retention.JOB))
    settled_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("done or unknown", Retention.JOB))


class Tombstone(ControlBase):
    """What is left of a job 30 days after its end."""

    __tablename__ = "tombstone"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the job", Retention.TOMBSTONE))
    organisation_id: Mapped[str | None] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=pseudonym("for whom", Retention.TOMBSTONE)
    )
    kind: Mapped[str] = mapped_column(CODE, info=technical("what was done", Retention.TOMBSTONE))
    state: Mapped[str] = mapped_column(CODE, info=technical("outcome", Retention.TOMBSTONE))
    reason: Mapped[str | None] = mapped_column(CODE, info=technical("outcome", Retention.TOMBSTONE))
    attempt: Mapped[int] = mapped_column(Integer, info=technical("attempts", Retention.TOMBSTONE))
    created_at: Mapped[datetime] = mapped_column(Instant, info=technical("requested", Retention.TOMBSTONE))
    started_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("started", Retention.TOMBSTONE))
    finished_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("ended", Retention.TOMBSTONE))
    buried_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("buried", Retention.TOMBSTONE))


class IdempotencyKey(ControlBase):
    """A caller's Idempotency-Key, hashed, and the response that its first request got."""

    __tablename__ = "idempotency_key"

    caller: Mapped[str] = mapped_column(
        String(80), primary_key=True, info=pseudonym("who sent it", Retention.IDEMPOTENCY)
    )
    key_hash: Mapped[str] = mapped_column(
        String(64), primary_key=True, info=technical("the key", Retention.IDEMPOTENCY)
    )
    body_hash: Mapped[str] = mapped_column(String(64), info=technical("same request?", Retention.IDEMPOTENCY))
    token: Mapped[str] = mapped_column(ID, info=technical("who decides", Retention.IDEMPOTENCY))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.IDEMPOTENCY))
    status: Mapped[int | None] = mapped_column(Integer, info=technical("the response", Retention.IDEMPOTENCY))
    location: Mapped[str | None] = mapped_column(String(255), info=technical("the response", Retention.IDEMPOTENCY))
    answer: Mapped[str | None] = mapped_column(Text, info=technical("the response", Retention.IDEMPOTENCY))


class UsageCount(ControlBase):
    """How many jobs of a kind an organisation requested on a day (UTC); also the partition's lock on PostgreSQL."""

    __tablename__ = "usage_count"

    organisation_id: Mapped[str] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, info=pseudonym("whose limit", Retention.COUNTER)
    )
    day: Mapped[date] = mapped_column(
        Date, primary_key=True, index=True, info=technical("which day", Retention.COUNTER)
    )
    kind: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("of what", Retention.COUNTER))
    count: Mapped[int] = mapped_column(Integer, info=technical("how many", Retention.COUNTER))


class Heartbeat(ControlBase):
    """When a part of Pigi last did its work: the pump, each schedule, each queue."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("which part", Retention.OPERATIONAL))
    at: Mapped[datetime] = mapped_column(Instant, info=technical("when", Retention.OPERATIONAL))
    note: Mapped[str | None] = mapped_column(CODE, info=technical("which period", Retention.OPERATIONAL))
