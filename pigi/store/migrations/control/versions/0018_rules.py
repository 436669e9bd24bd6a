"""What an organisation makes of the rules for its resources.

Revision: 0018
Down revision: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column; an organisation that chose nothing has none."""
    op.add_column("organisation", sa.Column("rules", sa.Text()))
