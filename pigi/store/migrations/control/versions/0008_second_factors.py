"""Second factors, recovery codes, and what an organisation asks of its members.

Revision: 0008
Down revision: 0007
"""

from __future__ import annotations

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
