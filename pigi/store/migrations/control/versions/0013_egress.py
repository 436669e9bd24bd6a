"""Counts of connections by recipient.

Revision: 0013
Down revision: 0012
"""

from __future__ import annotations

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
