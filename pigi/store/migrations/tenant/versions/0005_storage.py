"""What an organisation stores and wrote today.

Its row is made by the first write, which counts what was there before: a backup of an older revision that is put back
has no row of it either.

Revision: 0005
Down revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "storage",
        sa.Column("only", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("projects", sa.Integer(), nullable=False),
        sa.Column("resources", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("only", name="pk_storage"),
    )
