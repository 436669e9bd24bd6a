"""Evidence of the controls of promises.

Revision: 0010
Down revision: 0009
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0010"
down_revision = "0009"

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "evidence",
        required("id", SERIAL),
        required("control", sa.String(80)),
        required("outcome", sa.String(40)),
        required("found", sa.Text()),
        required("began_at", Instant()),
        required("checked_at", Instant()),
        required("valid_until", Instant()),
        sa.Column("trouble", sa.String(120)),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
    )
    op.create_index("ix_evidence_control", "evidence", ["control", "id"])
    op.create_index("ix_evidence_valid_until", "evidence", ["valid_until"])
