"""Requests of people about their data, and which uses of it they stopped.

Revision: 0007
Down revision: 0006
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0007"
down_revision = "0006"

ID = sa.String(36)
CODE = sa.String(40)
ADDRESS = sa.String(254)

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)


def upgrade() -> None:
    """Create the table, and the account's column."""
    op.create_table(
        "privacy_request",
        required("id", ID),
        required("type", CODE),
        required("state", CODE),
        optional(
            "account_id",
            ID,
            sa.ForeignKey("account.id", name="fk_privacy_request_account_id", ondelete="CASCADE"),
        ),
        optional("email", ADDRESS),
        optional("email_key", ADDRESS),
        optional("detail", sa.Text()),
        required("received_at", Instant()),
        required("due_at", Instant()),
        optional("extended_until", Instant()),
        optional("extension_reason", sa.Text()),
        optional("answer", sa.Text()),
        optional("answered_at", Instant()),
        optional("entered_by", sa.String(80)),
        sa.PrimaryKeyConstraint("id", name="pk_privacy_request"),
    )
    for name in ("state", "account_id", "email_key", "due_at", "answered_at"):
        op.create_index(f"ix_privacy_request_{name}", "privacy_request", [name])
    op.add_column("account", sa.Column("stops", sa.String(120), nullable=True))
