"""Requests of people about their data, restrictions and objections.

Revision: 0007
Down revision: 0006
"""

from __future__ import annotations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
