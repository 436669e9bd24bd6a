"""The process's clock: aware UTC, and the one place where a test sets the time.

Leases and due times do not use it: they use the database's clock (`pigi.store.instants`), since workers'
clocks may disagree with each other.
"""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
