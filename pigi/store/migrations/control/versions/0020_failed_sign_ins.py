"""Counts of wrong passwords and codes, by account or address and day.

Revision: 0020
Down revision: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "failed_sign_in",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "day", name="pk_failed_sign_in"),
    )
    op.create_index("ix_failed_sign_in_day", "failed_sign_in", ["day"])
