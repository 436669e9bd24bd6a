"""Sessions as distinct types, so that one database can't be mistaken for the other."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from pigi.store.engines import make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from pigi.store.sealing import Sealer


class ControlSession(Session):
    """A session of the control database."""


class TenantSession(Session):
    """A session of one organisation's database; ``sealer`` seals and opens its columns."""

    def __init__(self, engine: Engine, organisation_id: str, sealer: Sealer) -> None:
        super().__init__(engine, expire_on_commit=False)
        self.organisation_id = organisation_id
        self.sealer = sealer


class ControlDatabase:
    """The control database: sessions and connections. One an application; dispose it after a fork."""

    def __init__(self, url: str, *, relaxed: bool = False) -> None:
        self.engine = make_engine(url, pool_size=8, relaxed=relaxed)
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self) -> Iterator[ControlSession]:
        """A session whose transaction commits at the end of the block, or rolls back on an exception."""
        with ControlSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[ControlSession]:
        """A session for reading: each statement sees the newest committed state and holds no lock."""
        with ControlSession(self._autocommit, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction."""
        with self._autocommit.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection in one transaction; the engine's hot paths use Core, which costs a quarter of the ORM."""
        with self.engine.begin() as connection:
            yield connection

    def dispose(self, *, close: bool = True) -> None:
        """Forget all connections; after a fork with ``close=False``, since the parent still uses them."""
        self.engine.dispose(close=close)


@contextmanager
def snapshot(database: ControlDatabase) -> Iterator[Connection]:
    """A connection that sees the database as it was at the first statement; for reading alone.

    What is written meanwhile does not appear, and no writer waits, however long it reads.
    """
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
