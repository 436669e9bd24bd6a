"""How Alembic reaches the control database: over the connection that `pigi.store.migrate` hands it."""

from __future__ import annotations

from alembic import context

import pigi.store.billing
import pigi.store.control
import pigi.store.ledgers
import pigi.store.people  # noqa: F401 - these fill the metadata
from pigi.store.base import ControlBase

context.configure(connection=context.config.attributes["connection"], target_metadata=ControlBase.metadata)
context.run_migrations()
