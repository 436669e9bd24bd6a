"""Tables of the control database of what happened: mail, throttles, the audit chain, the three logs."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, Float, ForeignKey, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pigi.domain.retention import Retention
from pigi.store.base import ControlBase, pseudonym, secret, technical
from pigi.store.instants import Instant

ID = String(36)
CODE = String(40)
DIGEST = String(64)
SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""Numbered by the database; SQLite only numbers what is called INTEGER."""


class Mail(ControlBase):
    """One mail: what it was and how it ended. No address, no text, no link."""

    __tablename__ = "mail"

    id: Mapped[str] = mapped_column(ID, primary_key=True, info=technical("names the mail", Retention.MAIL))
    job_id: Mapped[str] = mapped_column(ID, unique=True, info=technical("which job sends it", Retention.MAIL))
    template: Mapped[str] = mapped_column(CODE, info=technical("what it says", Retention.MAIL))
    subject_id: Mapped[str] = mapped_column(ID, info=technical("what it is about", Retention.MAIL))
    recipient_id: Mapped[str | None] = mapped_column(
        ID, info=pseudonym("whose account, if the subject does not say", Retention.MAIL)
    )
    organisation_id: Mapped[str | None] = mapped_column(
        ForeignKey("organisation.id"), index=True, info=pseudonym("for whom", Retention.MAIL)
    )
    address_hash: Mapped[str] = mapped_column(DIGEST, info=pseudonym("answers 'did you write me?'", Retention.MAIL))
    state: Mapped[str] = mapped_column(CODE, info=technical("queued, sent, unknown or failed", Retention.MAIL))
    created_at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("age", Retention.MAIL))
    ended_at: Mapped[datetime | None] = mapped_column(Instant, info=technical("outcome", Retention.MAIL))


class Throttle(ControlBase):
    """A bucket of tries: ``full_at`` is when it is full again. The key is a keyed hash; no address is kept."""

    __tablename__ = "throttle"

    key: Mapped[str] = mapped_column(DIGEST, primary_key=True, info=pseudonym("whose tries", Retention.THROTTLE))
    full_at: Mapped[float] = mapped_column(
        Float(53), index=True, info=technical("tries left, as seconds since 1970", Retention.THROTTLE)
    )


class FailedSignIn(ControlBase):
    """How many wrong passwords and codes were given for somebody on a day (UTC). Not by whom, from where, or which.

    ``subject`` is an account's id, or a keyed hash of an address that has none.
    """

    __tablename__ = "failed_sign_in"

    subject: Mapped[str] = mapped_column(
        DIGEST, primary_key=True, info=pseudonym("whose password was tried", Retention.FAILED_SIGN_IN)
    )
    day: Mapped[date] = mapped_column(
        Date, primary_key=True, index=True, info=technical("which day", Retention.FAILED_SIGN_IN)
    )
    count: Mapped[int] = mapped_column(Integer, info=technical("how many were wrong", Retention.FAILED_SIGN_IN))


class AuditEntry(ControlBase):
    """A link of the audit chain. What it is about is in `AuditContent`, which can be erased without breaking it."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(
        SERIAL, primary_key=True, autoincrement=False, info=technical("place in the chain", Retention.AUDIT)
    )
    at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when", Retention.AUDIT))
    kind: Mapped[str] = mapped_column(CODE, info=technical("which kind of act", Retention.AUDIT))
    previous: Mapped[str] = mapped_column(DIGEST, info=technical("hash of the entry before", Retention.AUDIT))
    commitment: Mapped[str] = mapped_column(DIGEST, info=technical("salted hash of the content", Retention.AUDIT))
    entry_hash: Mapped[str] = mapped_column(DIGEST, info=technical("hash of this entry", Retention.AUDIT))


class AuditContent(ControlBase):
    """Who did what to whom, as identifiers; erased with its salt, after which the commitment says nothing."""

    __tablename__ = "audit_content"

    seq: Mapped[int] = mapped_column(
        SERIAL, primary_key=True, autoincrement=False, info=technical("which entry", Retention.AUDIT)
    )
    organisation_id: Mapped[str | None] = mapped_column(ID, index=True, info=pseudonym("where", Retention.AUDIT))
    actor: Mapped[str] = mapped_column(String(80), index=True, info=pseudonym("who did it", Retention.AUDIT))
    subject: Mapped[str | None] = mapped_column(String(80), index=True, info=pseudonym("to whom", Retention.AUDIT))
    details: Mapped[str] = mapped_column(Text, info=technical("ids and field names", Retention.AUDIT))
    salt: Mapped[bytes] = mapped_column(LargeBinary, info=secret("hides the content", Retention.AUDIT))


class AuditAnchor(ControlBase):
    """The chain's head on a day, signed; also where the chain begins once its oldest entries are gone."""

    __tablename__ = "audit_anchor"

    seq: Mapped[int] = mapped_column(
        SERIAL, primary_key=True, autoincrement=False, info=technical("which entry", Retention.AUDIT)
    )
    entry_hash: Mapped[str] = mapped_column(DIGEST, info=technical("its hash", Retention.AUDIT))
    at: Mapped[datetime] = mapped_column(Instant, info=technical("when", Retention.AUDIT))
    signature: Mapped[str] = mapped_column(Text, info=technical("Ed25519, base64", Retention.AUDIT))


class RequestLog(ControlBase):
    """The HTTP request log (P04): no body, no query, no address, no path beyond its template."""

    __tablename__ = "request_log"

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True, info=technical("names the line", Retention.REQUEST_LOG))
    at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when", Retention.REQUEST_LOG))
    request_id: Mapped[str] = mapped_column(String(64), info=technical("which request", Retention.REQUEST_LOG))
    method: Mapped[str] = mapped_column(CODE, info=technical("what", Retention.REQUEST_LOG))
    route: Mapped[str] = mapped_column(String(120), info=technical("what", Retention.REQUEST_LOG))
    status: Mapped[int] = mapped_column(Integer, info=technical("outcome", Retention.REQUEST_LOG))
    ms: Mapped[float] = mapped_column(Float, info=technical("duration, milliseconds", Retention.REQUEST_LOG))
    organisation_id: Mapped[str | None] = mapped_column(ID, info=pseudonym("for whom", Retention.REQUEST_LOG))
    job_id: Mapped[str | None] = mapped_column(ID, info=technical("which job", Retention.REQUEST_LOG))


class ErrorLog(ControlBase):
    """The error log (P04): an exception's class and the places in the code, never its words."""

    __tablename__ = "error_log"

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True, info=technical("names the line", Retention.ERROR_LOG))
    at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when", Retention.ERROR_LOG))
    process: Mapped[str] = mapped_column(CODE, info=technical("web, worker or beat", Retention.ERROR_LOG))
    request_id: Mapped[str | None] = mapped_column(String(64), info=technical("which request", Retention.ERROR_LOG))
    job_id: Mapped[str | None] = mapped_column(ID, info=technical("which job", Retention.ERROR_LOG))
    place: Mapped[str] = mapped_column(String(120), info=technical("route or kind of job", Retention.ERROR_LOG))
    error: Mapped[str] = mapped_column(String(120), info=technical("class of the exception", Retention.ERROR_LOG))
    frames: Mapped[str] = mapped_column(Text, info=technical("places in the code", Retention.ERROR_LOG))


class UsageSignal(ControlBase):
    """That a feature was used; kept for days (`Retention.USAGE`), then only `UsageDaily` is left (P11)."""

    __tablename__ = "usage_signal"

    id: Mapped[int] = mapped_column(SERIAL, primary_key=True, info=technical("names the signal", Retention.USAGE))
    at: Mapped[datetime] = mapped_column(Instant, index=True, info=technical("when", Retention.USAGE))
    event: Mapped[str] = mapped_column(CODE, info=technical("which feature", Retention.USAGE))
    organisation_id: Mapped[str] = mapped_column(ID, info=pseudonym("counts groups", Retention.USAGE))


class UsageDaily(ControlBase):
    """How often a feature was used on a day: rounded to ten, groups under ten organisations left out."""

    __tablename__ = "usage_daily"

    day: Mapped[date] = mapped_column(Date, primary_key=True, info=technical("which day", Retention.OPERATIONAL))
    event: Mapped[str] = mapped_column(CODE, primary_key=True, info=technical("what", Retention.OPERATIONAL))
    count: Mapped[int] = mapped_column(Integer, info=technical("how often", Retention.OPERATIONAL))
