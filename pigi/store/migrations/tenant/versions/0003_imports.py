"""Uploads on their way into the configuration.

Revision: 0003
Down revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of imports."""
    op.create_table(
        "import",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("format", sa.String(40), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sizes", sa.Text(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(80), nullable=False),
        sa.Column("accept_job_id", sa.String(36), nullable=True),
        sa.Column("accepted_by", sa.String(80), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_import"),
    )
    op.create_index("ix_import_job_id", "import", ["job_id"])
    op.create_index("ix_import_created_at", "import", ["created_at"])
