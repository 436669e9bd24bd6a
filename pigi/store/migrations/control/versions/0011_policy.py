"""Versions of the policy and the notices of them.

Revision: 0011
Down revision: 0010
"""

from __future__ import annotations

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
