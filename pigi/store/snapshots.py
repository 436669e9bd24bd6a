"""Reading for long and seeing one moment: what is written meanwhile does not appear, and no writer waits."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from pigi.store.sessions import ControlDatabase


@contextmanager
def snapshot(database: ControlDatabase) -> Iterator[Connection]:
    """A connection that sees the database as it was at the first statement; for reading alone."""
    if database.engine.dialect.name == "sqlite":
        # Not the engine's own BEGIN IMMEDIATE: a deferred one never takes the write lock.
        with database.autocommit() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
        return
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with database.engine.connect().execution_options(**options) as connection:
        yield connection
