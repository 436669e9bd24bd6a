"""Progress of rotations of keys.

Revision: 0009
Down revision: 0008
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0009"
down_revision = "0008"

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)


def upgrade() -> None:
    """Create the tables of keys, and let a data key say since when it seals nothing."""
    op.add_column("data_key", sa.Column("emptied_at", Instant()))
    op.create_table(
        "public_key",
        required("x", sa.String(64)),
        required("endorsement", sa.String(120)),
        required("added_at", Instant()),
        sa.PrimaryKeyConstraint("x", name="pk_public_key"),
    )
    op.create_table(
        "provider_key",
        required("fingerprint", sa.String(64)),
        required("setting", sa.String(64)),
        required("first_seen_at", Instant()),
        required("last_seen_at", Instant()),
        sa.Column("refused_at", Instant()),
        sa.PrimaryKeyConstraint("fingerprint", name="pk_provider_key"),
    )
