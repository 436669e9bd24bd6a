"""How Alembic reaches a tenant database: over the connection that `pigi.store.migrate` hands it."""

from __future__ import annotations

from alembic import context

import pigi.store.tenant  # noqa: F401 - fills the metadata
from pigi.store.base import TenantBase

context.configure(connection=context.config.attributes["connection"], target_metadata=TenantBase.metadata)
context.run_migrations()
