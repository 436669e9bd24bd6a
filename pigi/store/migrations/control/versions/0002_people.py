"""People: accounts, sessions, memberships, invitations; scopes for API keys.

Revision: 0002
Down revision: 0001
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op

from pigi.store.instants import Instant

if TYPE_CHECKING:
    from collections.abc import Callable

revision = "0002"
down_revision = "0001"

ID = sa.String(36)
CODE = sa.String(40)
DIGEST = sa.String(64)
NAME = sa.String(120)
ADDRESS = sa.String(254)

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

ACCOUNT = (
    required("id", ID),
    required("kind", CODE),
    required("name", NAME),
    required("email", ADDRESS),
    required("email_key", ADDRESS),
    required("password_hash", sa.String(255)),
    required("state", CODE),
    required("created_at", Instant()),
    required("password_changed_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_account"),
    sa.UniqueConstraint("email_key", name="uq_account_email_key"),
)

REGISTRATION = (
    required("id", ID),
    required("name", NAME),
    required("email", ADDRESS),
    required("email_key", ADDRESS),
    required("password_hash", sa.String(255)),
    required("token_hash", DIGEST),
    required("created_at", Instant()),
    required("expires_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_registration"),
    sa.UniqueConstraint("token_hash", name="uq_registration_token_hash"),
)

ACCOUNT_TOKEN = (
    required("id", ID),
    required("purpose", CODE),
    optional("account_id", ID, sa.ForeignKey("account.id", name="fk_account_token_account_id", ondelete="CASCADE")),
    required("email", ADDRESS),
    required("email_key", ADDRESS),
    required("token_hash", DIGEST),
    required("created_at", Instant()),
    required("expires_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_account_token"),
    sa.UniqueConstraint("token_hash", name="uq_account_token_token_hash"),
)

SESSION = (
    required("id", ID),
    required("account_id", ID, sa.ForeignKey("account.id", name="fk_session_account_id", ondelete="CASCADE")),
    required("token_hash", DIGEST),
    required("created_at", Instant()),
    required("seen_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_session"),
    sa.UniqueConstraint("token_hash", name="uq_session_token_hash"),
)

MEMBERSHIP = (
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_membership_organisation_id")),
    required("account_id", ID, sa.ForeignKey("account.id", name="fk_membership_account_id", ondelete="CASCADE")),
    required("role", CODE),
    required("joined_at", Instant()),
    sa.PrimaryKeyConstraint("organisation_id", "account_id", name="pk_membership"),
)

INVITATION = (
    required("id", ID),
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_invitation_organisation_id")),
    required("email", ADDRESS),
    required("email_key", ADDRESS),
    required("role", CODE),
    required("invited_by", ID, sa.ForeignKey("account.id", name="fk_invitation_invited_by", ondelete="CASCADE")),
    required("token_hash", DIGEST),
    required("created_at", Instant()),
    required("expires_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_invitation"),
    sa.UniqueConstraint("token_hash", name="uq_invitation_token_hash"),
)

API_KEY = (
    required("id", ID),
    required("organisation_id", ID, sa.ForeignKey("organisation.id", name="fk_api_key_organisation_id")),
    required("label", NAME),
    required("scopes", sa.Text()),
    required("secret_hash", sa.LargeBinary()),
    optional("created_by", ID, sa.ForeignKey("account.id", name="fk_api_key_created_by", ondelete="SET NULL")),
    optional("replaces", ID),
    required("created_at", Instant()),
    required("expires_at", Instant()),
    optional("revoked_at", Instant()),
    optional("last_used_on", sa.Date()),
    optional("warned_days", sa.Integer()),
    sa.PrimaryKeyConstraint("id", name="pk_api_key"),
)

INDEXES = (
    ("ix_registration_created_at", "registration", ["created_at"], False),
    ("ix_registration_email_key", "registration", ["email_key"], False),
    ("ix_account_token_account_id", "account_token", ["account_id"], False),
    ("ix_account_token_created_at", "account_token", ["created_at"], False),
    ("ix_account_token_email_key", "account_token", ["email_key"], False),
    ("ix_session_account_id", "session", ["account_id"], False),
    ("ix_session_seen_at", "session", ["seen_at"], False),
    ("ix_membership_account_id", "membership", ["account_id"], False),
    ("ix_invitation_created_at", "invitation", ["created_at"], False),
    ("uq_invitation_address", "invitation", ["organisation_id", "email_key"], True),
    ("ix_api_key_organisation_id", "api_key", ["organisation_id"], False),
)

TABLES = {
    "account": ACCOUNT,
    "registration": REGISTRATION,
    "account_token": ACCOUNT_TOKEN,
    "session": SESSION,
    "membership": MEMBERSHIP,
    "invitation": INVITATION,
    "api_key": API_KEY,
}


OLD_SCOPES = "configuration:read configuration:write generations:write"
"""Keys from before scopes could do all that there was."""


def upgrade() -> None:
    """Make the tables. ``api_key`` is made anew, since SQLite can't add what is required to one that has rows."""
    connection = op.get_bind()
    keys = [dict(row) for row in connection.execute(sa.text("SELECT * FROM api_key")).mappings()]
    op.drop_table("api_key")
    for name, columns in TABLES.items():
        op.create_table(name, *columns)
    for index, table, over, unique in INDEXES:
        op.create_index(index, table, over, unique=unique)
    if keys:
        made = sa.table("api_key", *(sa.column(name) for name in (*keys[0], "scopes")))
        op.bulk_insert(made, [{**key, "scopes": OLD_SCOPES} for key in keys])
