"""${message}

Warning: the previous version of Pigi still runs against the new schema for one release. So only add here:
a new column is nullable or has a server default; nothing that the previous version reads or writes is
dropped, renamed or narrowed. What it no longer needs goes one release later, in a migration of its own.
On SQLite use op.batch_alter_table for whatever is more than adding a column or an index.

Revision: ${up_revision}
Down revision: ${down_revision or "none"}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}."""
    ${upgrades if upgrades else "pass"}
