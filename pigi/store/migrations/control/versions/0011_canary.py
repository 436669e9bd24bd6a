"""Which organisations are Pigi's own.

Revision: 0011
Down revision: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the column; the previous release's inserts do not name it."""
    op.add_column("organisation", sa.Column("canary", sa.Boolean(), nullable=False, server_default=sa.false()))
