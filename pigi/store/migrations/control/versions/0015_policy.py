"""Versions of the policy, notices of them, and which one a person has read.

Revision: 0015
Down revision: 0014
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0015"
down_revision = "0014"

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)


def upgrade() -> None:
    """Create the tables, and add the column, which the previous release's inserts do not name."""
    op.create_table(
        "policy_version",
        required("number", sa.Integer(), autoincrement=False),
        required("text", sa.Text()),
        required("digest", sa.String(64)),
        required("change", sa.String(40)),
        required("changes", sa.Text()),
        required("facts", sa.Text()),
        required("shipped", sa.String(64)),
        required("published_at", Instant()),
        required("effective_at", Instant()),
        required("published_by", sa.String(80)),
        sa.Column("announced_at", Instant()),
        sa.PrimaryKeyConstraint("number", name="pk_policy_version"),
    )
    op.create_index("ix_policy_version_effective_at", "policy_version", ["effective_at"])
    op.create_table(
        "policy_notice",
        required("version", sa.Integer()),
        required("account_id", sa.String(36)),
        required("mail_id", sa.String(36)),
        required("state", sa.String(40)),
        required("created_at", Instant()),
        sa.Column("ended_at", Instant()),
        sa.PrimaryKeyConstraint("version", "account_id", name="pk_policy_notice"),
        sa.ForeignKeyConstraint(["version"], ["policy_version.number"], name="fk_policy_notice_version"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_policy_notice_account_id", ondelete="CASCADE"),
        sa.UniqueConstraint("mail_id", name="uq_policy_notice_mail_id"),
    )
    op.create_index("ix_policy_notice_created_at", "policy_notice", ["created_at"])
    op.add_column("account", sa.Column("policy_seen", sa.Integer()))
