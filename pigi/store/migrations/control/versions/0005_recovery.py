"""What lets recovery cost as much as is due: an index of waiting jobs by time, and a count of failed cleanups.

Revision: 0005
Down revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

WAITING = sa.text("published_at IS NULL AND state IN ('queued', 'retrying')")


def upgrade() -> None:
    """Add both to the jobs."""
    op.add_column("job", sa.Column("cleanup_failures", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_job_due", "job", ["due_at", "lane"], sqlite_where=WAITING, postgresql_where=WAITING)
