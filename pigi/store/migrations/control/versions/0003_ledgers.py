"""What happened: the mail log, throttles, the audit chain, the three logs.

Revision: 0003
Down revision: 0002
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0003"
down_revision = "0002"

ID = sa.String(36)
CODE = sa.String(40)
DIGEST = sa.String(64)
NAME = sa.String(120)
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

MAIL = (
    required("id", ID),
    required("job_id", ID),
    required("template", CODE),
    required("subject_id", ID),
    optional("recipient_id", ID),
    optional("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_mail_organisation_id")),
    required("address_hash", DIGEST),
    required("state", CODE),
    required("created_at", Instant()),
    optional("ended_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_mail"),
    sa.UniqueConstraint("job_id", name="uq_mail_job_id"),
)

THROTTLE = (
    required("key", DIGEST),
    required("full_at", sa.Float(53)),
    sa.PrimaryKeyConstraint("key", name="pk_throttle"),
)

AUDIT_ENTRY = (
    required("seq", SERIAL, autoincrement=False),
    required("at", Instant()),
    required("kind", CODE),
    required("previous", DIGEST),
    required("commitment", DIGEST),
    required("entry_hash", DIGEST),
    sa.PrimaryKeyConstraint("seq", name="pk_audit_entry"),
)

AUDIT_CONTENT = (
    required("seq", SERIAL, autoincrement=False),
    optional("organisation_id", ID),
    required("actor", sa.String(80)),
    optional("subject", sa.String(80)),
    required("details", sa.Text()),
    required("salt", sa.LargeBinary()),
    sa.PrimaryKeyConstraint("seq", name="pk_audit_content"),
)

AUDIT_ANCHOR = (
    required("seq", SERIAL, autoincrement=False),
    required("entry_hash", DIGEST),
    required("at", Instant()),
    required("signature", sa.Text()),
    sa.PrimaryKeyConstraint("seq", name="pk_audit_anchor"),
)

REQUEST_LOG = (
    required("id", SERIAL),
    required("at", Instant()),
    required("request_id", DIGEST),
    required("method", CODE),
    required("route", NAME),
    required("status", sa.Integer()),
    required("ms", sa.Float()),
    optional("organisation_id", ID),
    optional("job_id", ID),
    sa.PrimaryKeyConstraint("id", name="pk_request_log"),
)

ERROR_LOG = (
    required("id", SERIAL),
    required("at", Instant()),
    required("process", CODE),
    optional("request_id", DIGEST),
    optional("job_id", ID),
    required("place", NAME),
    required("error", NAME),
    required("frames", sa.Text()),
    sa.PrimaryKeyConstraint("id", name="pk_error_log"),
)

USAGE_SIGNAL = (
    required("id", SERIAL),
    required("at", Instant()),
    required("event", CODE),
    required("organisation_id", ID),
    sa.PrimaryKeyConstraint("id", name="pk_usage_signal"),
)

USAGE_DAILY = (
    required("day", sa.Date()),
    required("event", CODE),
    required("count", sa.Integer()),
    sa.PrimaryKeyConstraint("day", "event", name="pk_usage_daily"),
)

INDEXES = (
    ("ix_mail_created_at", "mail", ["created_at"], False),
    ("ix_mail_organisation_id", "mail", ["organisation_id"], False),
    ("ix_throttle_full_at", "throttle", ["full_at"], False),
    ("ix_audit_entry_at", "audit_entry", ["at"], False),
    ("ix_audit_content_actor", "audit_content", ["actor"], False),
    ("ix_audit_content_organisation_id", "audit_content", ["organisation_id"], False),
    ("ix_audit_content_subject", "audit_content", ["subject"], False),
    ("ix_request_log_at", "request_log", ["at"], False),
    ("ix_error_log_at", "error_log", ["at"], False),
    ("ix_usage_signal_at", "usage_signal", ["at"], False),
)

TABLES = {
    "mail": MAIL,
    "throttle": THROTTLE,
    "audit_entry": AUDIT_ENTRY,
    "audit_content": AUDIT_CONTENT,
    "audit_anchor": AUDIT_ANCHOR,
    "request_log": REQUEST_LOG,
    "error_log": ERROR_LOG,
    "usage_signal": USAGE_SIGNAL,
    "usage_daily": USAGE_DAILY,
}


def upgrade() -> None:
    """Make the tables."""
    for name, columns in TABLES.items():
        op.create_table(name, *columns)
    for index, table, over, unique in INDEXES:
        op.create_index(index, table, over, unique=unique)
