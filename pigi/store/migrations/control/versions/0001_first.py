"""First schema of the control database.

Revision: 0001
Down revision: none
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0001"
down_revision = None

ID = sa.String(36)
CODE = sa.String(40)

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

ORGANISATION = (
    required("id", ID),
    required("name", sa.String(120)),
    required("state", CODE),
    required("epoch", sa.Integer()),
    required("schema_revision", sa.String(20)),
    required("created_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_organisation"),
)

DATA_KEY = (
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_data_key_organisation_id")),
    required("version", sa.Integer()),
    required("wrapped", sa.LargeBinary()),
    required("keyring_id", CODE),
    required("created_at", Instant()),
    sa.PrimaryKeyConstraint("organisation_id", "version", name="pk_data_key"),
)

API_KEY = (
    required("id", ID),
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_api_key_organisation_id")),
    required("label", sa.String(120)),
    required("secret_hash", sa.LargeBinary()),
    required("created_at", Instant()),
    required("expires_at", Instant()),
    optional("revoked_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_api_key"),
)

JOB = (
    required("id", ID),
    required("kind", CODE),
    required("queue", CODE),
    required("lane", sa.String(80)),
    optional("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_job_organisation_id")),
    required("epoch", sa.Integer()),
    optional("subject_id", ID),
    required("asked_by", sa.String(80)),
    required("state", CODE),
    optional("reason", CODE),
    required("created_at", Instant()),
    required("due_at", Instant()),
    optional("deadline_at", Instant()),
    optional("published_at", Instant()),
    optional("started_at", Instant()),
    optional("finished_at", Instant()),
    optional("close_at", Instant()),
    optional("lease_token", ID),
    optional("lease_until", Instant()),
    required("attempt", sa.Integer()),
    required("failures", sa.Integer()),
    required("lost", sa.Integer()),
    optional("cancel_requested_at", Instant()),
    optional("progress_done", sa.Integer()),
    optional("progress_total", sa.Integer()),
    optional("progress_note", CODE),
    required("revision", sa.Integer()),
    required("timeline", sa.Text()),
    optional("schedule", CODE),
    optional("period", sa.String(32)),
    sa.PrimaryKeyConstraint("id", name="pk_job"),
    sa.UniqueConstraint("schedule", "period", name="uq_job_schedule_period"),
)

EFFECT = (
    required("job_id", ID, sa.ForeignKey("job.id", name="fk_effect_job_id", ondelete="CASCADE")),
    required("key", sa.String(80)),
    required("state", CODE),
    required("policy", CODE),
    required("tries", sa.Integer()),
    optional("reference", sa.String(255)),
    required("intended_at", Instant()),
    optional("settled_at", Instant()),
    sa.PrimaryKeyConstraint("job_id", "key", name="pk_effect"),
)

TOMBSTONE = (
    required("id", ID),
    optional("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_tombstone_organisation_id")),
    required("kind", CODE),
    required("state", CODE),
    optional("reason", CODE),
    required("attempt", sa.Integer()),
    required("created_at", Instant()),
    optional("started_at", Instant()),
    optional("finished_at", Instant()),
    required("buried_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_tombstone"),
)

IDEMPOTENCY_KEY = (
    required("caller", sa.String(80)),
    required("key_hash", sa.String(64)),
    required("body_hash", sa.String(64)),
    required("token", ID),
    required("created_at", Instant()),
    optional("status", sa.Integer()),
    optional("location", sa.String(255)),
    optional("answer", sa.Text()),
    sa.PrimaryKeyConstraint("caller", "key_hash", name="pk_idempotency_key"),
)

USAGE_COUNT = (
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_usage_count_organisation_id")),
    required("day", sa.Date()),
    required("kind", CODE),
    required("count", sa.Integer()),
    sa.PrimaryKeyConstraint("organisation_id", "day", "kind", name="pk_usage_count"),
)

HEARTBEAT = (
    required("name", CODE),
    required("at", Instant()),
    optional("note", CODE),
    sa.PrimaryKeyConstraint("name", name="pk_heartbeat"),
)

INDEXES = (
    ("ix_api_key_organisation_id", "api_key", ("organisation_id",), None),
    ("ix_job_closing", "job", ("close_at",), "close_at IS NOT NULL"),
    ("ix_job_leased", "job", ("lease_until",), "state = 'running'"),
    ("ix_job_occupying", "job", ("lane",), "published_at IS NOT NULL"),
    ("ix_job_organisation", "job", ("organisation_id", "id"), None),
    ("ix_job_rung", "job", ("kind", "published_at"), "published_at IS NOT NULL AND state IN ('queued', 'retrying')"),
    ("ix_job_waiting", "job", ("lane", "due_at", "id"), "published_at IS NULL AND state IN ('queued', 'retrying')"),
    ("ix_tombstone_buried_at", "tombstone", ("buried_at",), None),
    ("ix_tombstone_organisation_id", "tombstone", ("organisation_id",), None),
    ("ix_idempotency_key_created_at", "idempotency_key", ("created_at",), None),
)


def upgrade() -> None:
    """Create every table and index."""
    op.create_table("organisation", *ORGANISATION)
    op.create_table("data_key", *DATA_KEY)
    op.create_table("api_key", *API_KEY)
    op.create_table("job", *JOB)
    op.create_table("effect", *EFFECT)
    op.create_table("tombstone", *TOMBSTONE)
    op.create_table("idempotency_key", *IDEMPOTENCY_KEY)
    op.create_table("usage_count", *USAGE_COUNT)
    op.create_table("heartbeat", *HEARTBEAT)
    for name, table, columns, where in INDEXES:
        only = None if where is None else sa.text(where)
        op.create_index(name, table, list(columns), sqlite_where=only, postgresql_where=only)
