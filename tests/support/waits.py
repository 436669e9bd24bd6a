"""How long a connection waits, on either engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.store.engines import is_sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection


def lock_milliseconds(connection: Connection) -> int:
    """For how long it waits for a lock."""
    setting = "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'"
    return int(connection.exec_driver_sql("PRAGMA busy_timeout" if is_sqlite(connection) else setting).scalar() or 0)
