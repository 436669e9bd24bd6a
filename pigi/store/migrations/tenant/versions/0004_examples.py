"""Which values of a revision somebody called examples.

Revision: 0004
Down revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; what was saved before has none."""
    op.add_column("resource_revision", sa.Column("examples", sa.LargeBinary(), nullable=True))
