"""Addresses that can be brought back after a change, and secrets of sessions that are renewed.

Revision: 0019
Down revision: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Add the table and the columns."""
    op.create_table(
        "address_undo",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(254), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_address_undo_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_address_undo"),
        sa.UniqueConstraint("token_hash", name="uq_address_undo_token_hash"),
    )
    for column in ("account_id", "email_key", "created_at"):
        op.create_index(f"ix_address_undo_{column}", "address_undo", [column])
    op.add_column("session", sa.Column("renewal_due", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("session", sa.Column("csrf_hash", sa.String(64)))
    op.add_column("session", sa.Column("previous_hash", sa.String(64)))
    op.add_column("session", sa.Column("previous_until", Instant()))
    op.create_index("ix_session_previous_hash", "session", ["previous_hash"])
