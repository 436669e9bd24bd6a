"""What operators were told last of each promise.

Revision: 0014
Down revision: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "promise_alarm",
        sa.Column("promise", sa.String(40), nullable=False),
        sa.Column("told", sa.String(40), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("batch", sa.String(40), nullable=False),
        sa.Column("seen", sa.String(40)),
        sa.Column("seen_at", Instant()),
        sa.PrimaryKeyConstraint("promise", name="pk_promise_alarm"),
    )
    op.create_index("ix_promise_alarm_batch", "promise_alarm", ["batch"])
