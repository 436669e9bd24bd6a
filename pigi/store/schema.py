"""All tables of both kinds of database. Whoever asks the metadata for every table must get it from here."""

from __future__ import annotations

from pigi.store import (  # noqa: F401 - they declare tables
    billing,
    contact,
    control,
    deletions,
    egress,
    exports,
    keys,
    ledgers,
    people,
    policy,
    privacy_requests,
    promises,
    records,
    tenant,
)
from pigi.store.base import ControlBase, TenantBase

CONTROL = ControlBase.metadata
TENANT = TenantBase.metadata
