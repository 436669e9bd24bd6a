"""Projects, resources and their revisions.

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

required: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=False)
optional: Callable[..., sa.Column[Any]] = partial(sa.Column, nullable=True)

INDEX_KEY = (
    required("use", CODE),
    required("key", sa.LargeBinary()),
    required("created_at", Instant()),
    sa.PrimaryKeyConstraint("use", name="pk_index_key"),
)

PROJECT = (
    required("id", ID),
    required("name", sa.LargeBinary()),
    required("name_key", sa.String(64)),
    required("description", sa.LargeBinary()),
    required("state", CODE),
    required("revision", sa.Integer()),
    required("created_at", Instant()),
    required("updated_at", Instant()),
    required("created_by", sa.String(80)),
    sa.PrimaryKeyConstraint("id", name="pk_project"),
)

RESOURCE = (
    required("id", ID),
    required("project_id", ID, sa.ForeignKey("project.id", name="fk_resource_project_id", ondelete="CASCADE")),
    required("kind", CODE),
    required("name", sa.LargeBinary()),
    required("name_key", sa.String(64)),
    required("revision", sa.Integer()),
    required("state", CODE),
    required("created_at", Instant()),
    required("updated_at", Instant()),
    sa.PrimaryKeyConstraint("id", name="pk_resource"),
)

RESOURCE_REVISION = (
    required(
        "resource_id", ID, sa.ForeignKey("resource.id", name="fk_resource_revision_resource_id", ondelete="CASCADE")
    ),
    required("number", sa.Integer()),
    required("content", sa.LargeBinary()),
    required("author", sa.String(80)),
    required("origin", CODE),
    optional("instruction", CODE),
    optional("model", sa.String(80)),
    required("created_at", Instant()),
    sa.PrimaryKeyConstraint("resource_id", "number", name="pk_resource_revision"),
)

NAMES = (
    ("uq_project_name_key", "project", ("name_key",)),
    ("uq_resource_name_key", "resource", ("project_id", "kind", "name_key")),
)


def upgrade() -> None:
    """Create the tables of configuration; what is there already stays as it is."""
    op.create_table("index_key", *INDEX_KEY)
    op.create_table("project", *PROJECT)
    op.create_table("resource", *RESOURCE)
    op.create_table("resource_revision", *RESOURCE_REVISION)
    op.create_index("ix_resource_listing", "resource", ["project_id", "kind", "id"])
    active = sa.text("state = 'active'")
    for name, table, columns in NAMES:
        op.create_index(name, table, list(columns), unique=True, sqlite_where=active, postgresql_where=active)
