"""First schema of an organisation's own database.

Revision: 0001
Down revision: none
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0001"
down_revision = None

ID = sa.String(36)
CODE = sa.String(40)

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

GENERATION = (
    required("id", ID),
    required("job_id", ID),
    required("resource", CODE),
    required("name", sa.LargeBinary()),
    optional("purpose", sa.LargeBinary()),
    optional("answer", sa.LargeBinary()),
    required("turns", sa.Integer()),
    optional("draft", sa.LargeBinary()),
    optional("findings", sa.String(4000)),
    optional("instruction", CODE),
    optional("model", sa.String(80)),
    required("input_tokens", sa.Integer()),
    required("output_tokens", sa.Integer()),
    required("fence", sa.Integer()),
    required("created_at", Instant()),
    optional("drafted_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_generation"),
)

LIVE_TEXT = (
    required(
        "generation_id", ID, sa.ForeignKey("generation.id", name="fk_live_text_generation_id", ondelete="CASCADE")
    ),
    required("position", sa.Integer()),
    required("turn", sa.Integer()),
    required("text", sa.LargeBinary()),
    sa.PrimaryKeyConstraint("generation_id", "position", name="pk_live_text"),
)

INDEXES = (
    ("ix_generation_created_at", "generation", ("created_at",), None),
    ("ix_generation_job_id", "generation", ("job_id",), None),
)


def upgrade() -> None:
    """Create every table and index."""
    op.create_table("generation", *GENERATION)
    op.create_table("live_text", *LIVE_TEXT)
    for name, table, columns, where in INDEXES:
        only = None if where is None else sa.text(where)
        op.create_index(name, table, list(columns), sqlite_where=only, postgresql_where=only)
