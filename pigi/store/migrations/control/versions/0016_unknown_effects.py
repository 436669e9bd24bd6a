"""An index of the few effects that are unknown, which operators look for.

Revision: 0016
Down revision: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

UNKNOWN = sa.text("state = 'unknown'")


def upgrade() -> None:
    """Create the index."""
    op.create_index("ix_effect_unknown", "effect", ["settled_at"], sqlite_where=UNKNOWN, postgresql_where=UNKNOWN)
