"""Second factors, recovery codes, and what an organisation asks of its members.

Revision: 0008
Down revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

revision = "0008"
down_revision = "0007"

ID = sa.String(36)


def upgrade() -> None:
    """Create both tables, and the organisation's choice."""
    op.create_table(
        "second_factor",
        sa.Column(
            "account_id",
            ID,
            sa.ForeignKey("account.id", name="fk_second_factor_account_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_second_factor"),
    )
    op.create_table(
        "recovery_code",
        sa.Column(
            "account_id",
            ID,
            sa.ForeignKey("account.id", name="fk_recovery_code_account_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name="pk_recovery_code"),
    )
    op.add_column("organisation", sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()))
