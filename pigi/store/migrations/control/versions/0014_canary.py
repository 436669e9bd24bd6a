"""Which organisations are Pigi's own.

Revision: 0014
Down revision: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; the previous release's inserts do not name it."""
    op.add_column("organisation", sa.Column("canary", sa.Boolean(), nullable=False, server_default=sa.false()))
