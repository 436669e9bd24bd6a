"""Messages to whoever runs Pigi.

Revision: 0013
Down revision: 0012
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0013"
down_revision = "0012"

ID = sa.String(36)
CODE = sa.String(40)

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ticket",
        required("id", ID),
        required("number", sa.String(20)),
        required("kind", CODE),
        required("state", CODE),
        optional("account_id", ID, sa.ForeignKey("account.id", name="fk_ticket_account_id", ondelete="CASCADE")),
        required("sender", sa.LargeBinary()),
        required("message", sa.LargeBinary()),
        optional("answer", sa.LargeBinary()),
        required("received_at", Instant()),
        required("due_at", Instant()),
        optional("answered_at", Instant()),
        optional("closed_at", Instant()),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.UniqueConstraint("number", name="uq_ticket_number"),
    )
    for name in ("state", "account_id", "received_at"):
        op.create_index(f"ix_ticket_{name}", "ticket", [name])
