"""Counts of connections by recipient.

Revision: 0012
Down revision: 0011
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0012"
down_revision = "0011"

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "egress",
        required("day", sa.Date()),
        required("recipient", sa.String(40)),
        required("outcome", sa.String(40)),
        required("connections", sa.Integer()),
        required("last_at", Instant()),
        sa.PrimaryKeyConstraint("day", "recipient", "outcome", name="pk_egress"),
    )
    op.create_index("ix_egress_last_at", "egress", ["last_at"])
