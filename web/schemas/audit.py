"""The audit log as it is shown."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from web.schemas import Told


class AuditEntry(Told):
    """One act: who did what to whom; ``details`` holds identifiers, roles, scopes and counts."""

    seq: int = Field(ge=1, description="Its place in the installation's audit chain.")
    at: datetime
    kind: str
    actor: str = Field(description="account:<id>, operator:<id>, operator:cli or api-key:<id>.")
    subject: str | None
    details: dict[str, str | int]


class AuditLog(Told):
    """Entries, newest first; ``next`` is the path of the following page, null on the last."""

    entries: list[AuditEntry]
    next: str | None
