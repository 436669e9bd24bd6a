"""Who answers for an API key whose maker left, and which keys were settled together.

Revision: 0017
Down revision: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the columns; both are empty for keys whose maker is still there."""
    op.add_column("api_key", sa.Column("handed_to", sa.String(36)))
    op.add_column("api_key", sa.Column("settlement", sa.String(36)))
    op.create_index("ix_api_key_settlement", "api_key", ["settlement"])
