"""Exports, deletions with their steps and receipts, holds, backups; when a session was confirmed.

Revision: 0006
Down revision: 0005
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0006"
down_revision = "0005"

ID = sa.String(36)
CODE = sa.String(40)
NAME = sa.String(80)
READY = sa.text("state = 'ready'")
HAS_ENDED = sa.text("finished_at IS NOT NULL")
OPEN = sa.text("state != 'done'")

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

EXPORT = (
    required("id", ID),
    required("scope", CODE),
    optional("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_export_organisation_id")),
    optional("account_id", ID, sa.ForeignKey("account.id", name="fk_export_account_id", ondelete="CASCADE")),
    required("job_id", ID),
    required("requested_by", NAME),
    required("state", CODE),
    optional("bytes", sa.BigInteger()),
    optional("sha256", sa.String(64)),
    required("sizes", sa.Text()),
    required("cursor", sa.Text()),
    required("created_at", Instant()),
    optional("expires_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_export"),
)

DELETION = (
    required("id", ID),
    required("receipt_id", ID),
    required("scope", CODE),
    optional("subject_id", ID),
    optional("part_of", ID),
    required("state", CODE),
    optional("requested_by", NAME),
    required("requested_at", Instant()),
    required("restorable_until", Instant()),
    required("final_by", Instant()),
    optional("sealed_at", Instant()),
    optional("warned_at", Instant()),
    optional("done_at", Instant()),
    optional("recipients", sa.LargeBinary()),
    optional("terms", sa.LargeBinary()),
    sa.PrimaryKeyConstraint("id", name="pk_deletion"),
    sa.UniqueConstraint("receipt_id", name="uq_deletion_receipt_id"),
)

DELETION_STEP = (
    required("deletion_id", ID, sa.ForeignKey("deletion.id", name="fk_deletion_step_deletion_id", ondelete="CASCADE")),
    required("name", CODE),
    required("position", sa.Integer()),
    required("state", CODE),
    required("count", sa.BigInteger()),
    optional("done_at", Instant()),
    sa.PrimaryKeyConstraint("deletion_id", "name", name="pk_deletion_step"),
)

RECEIPT = (
    required("id", ID),
    required("document", sa.Text()),
    required("created_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_receipt"),
)

HOLD = (
    required("id", ID),
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_hold_organisation_id")),
    required("retention", CODE),
    required("reason", sa.Text()),
    required("review_on", sa.Date()),
    required("added_by", NAME),
    required("added_at", Instant()),
    optional("approved_by", NAME),
    optional("approved_at", Instant()),
    optional("released_by", NAME),
    optional("released_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_hold"),
)

BACKUP = (
    required("id", ID),
    required("name", sa.String(255)),
    required("organisations", sa.Integer()),
    required("bytes", sa.BigInteger()),
    required("made_at", Instant()),
    optional("removed_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_backup"),
)

INDEXES = (
    ("export", ("organisation_id",)),
    ("export", ("account_id",)),
    ("export", ("created_at",)),
    ("deletion", ("subject_id",)),
    ("deletion", ("part_of",)),
    ("deletion", ("done_at",)),
    ("receipt", ("created_at",)),
    ("hold", ("organisation_id",)),
    ("hold", ("released_at",)),
    ("backup", ("made_at",)),
    # What sweeps go by.
    ("usage_count", ("day",)),
    ("api_key", ("expires_at",)),
    ("api_key", ("revoked_at",)),
)


def upgrade() -> None:
    """Create the tables, and the column of confirmed sessions."""
    for name, columns in {
        "export": EXPORT,
        "deletion": DELETION,
        "deletion_step": DELETION_STEP,
        "receipt": RECEIPT,
        "hold": HOLD,
        "backup": BACKUP,
    }.items():
        op.create_table(name, *columns)
    for table, names in INDEXES:
        op.create_index(f"ix_{table}_{names[0]}", table, list(names))
    op.create_index("ix_export_expires_at", "export", ["expires_at"], sqlite_where=READY, postgresql_where=READY)
    op.create_index("ix_deletion_open", "deletion", ["restorable_until"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_job_ended", "job", ["kind", "finished_at"], sqlite_where=HAS_ENDED, postgresql_where=HAS_ENDED)
    op.add_column("session", sa.Column("confirmed_at", Instant(), nullable=True))
