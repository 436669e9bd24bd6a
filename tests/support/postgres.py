"""Databases on PostgreSQL for tests: one server a run, and copies of a migrated control database."""

from __future__ import annotations

import secrets
import shutil
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psycopg
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url

from devtools.postgres import PostgresServer
from pigi.store import servers
from pigi.store.engines import make_engine
from pigi.store.migrate import migrate_control
from tests.support.factories import make_settings

if TYPE_CHECKING:
    from pigi.settings import Settings

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory; the server makes a folder of mode 0700 there
LEAN = ("wal_level=minimal", "max_wal_senders=0", "autovacuum=off", "jit=off")
"""No database of a test is replicated, or lives long enough to be worth tidying up or compiling for."""
MEMORY_NEEDED = 4 << 30
"""Bytes free there before it is used: a database takes 8 MB and a container often grants only 64."""

__all__ = ["PostgresServer", "PostgresStores"]


@event.listens_for(Engine, "before_cursor_execute", retval=True)
def _copy_files(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_others: Any) -> tuple[str, Any]:
    """Copying a database file by file takes a third of the processor time of writing its pages to the log."""
    return f"{statement} STRATEGY FILE_COPY" if statement.startswith("CREATE DATABASE") else statement, parameters


class PostgresStores:
    """What `tests.support.sqlite.SqliteStores` is for SQLite. Names carry a mark, since servers may be shared."""

    def __init__(self) -> None:
        self.server = PostgresServer(durable=False, settings=LEAN, parent=memory())
        self._mark = f"t{secrets.token_hex(4)}_"
        self._count = count()

    def __enter__(self) -> Self:
        self.server.start()
        migrate_control(self.server.url(self._template))
        # Kept open, since a connection costs as much as a database.
        self._engine = make_engine(self.server.url(servers.MAINTENANCE), pool_size=1)
        self._maintenance = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.server.external:
            self._drop_all()
        self._engine.dispose()
        self.server.stop()
        self.server.remove()

    def bare(self, home: Path) -> Settings:
        """Settings whose databases do not exist yet."""
        control = self.server.url(f"{self._mark}control_{next(self._count)}")
        return make_settings(home, control, self.server.url(f"{self._mark}{{id}}"))

    def fresh(self, home: Path) -> Settings:
        """Settings with an empty control database at the newest revision."""
        settings = self.bare(home)
        with self._maintenance.connect() as connection:
            servers.create(connection, make_url(settings.database_url).database or "", self._template)
        return settings

    def clean(self, settings: Settings) -> None:
        """Drop the control database and those of the organisations in it."""
        name = make_url(settings.database_url).database or ""
        with self._maintenance.connect() as connection:
            doomed = self._tenants(settings) if servers.exists(connection, name) else []
            for database in (*doomed, name):
                servers.drop(connection, database)

    def _tenants(self, settings: Settings) -> list[str]:
        """Without an engine, whose first connection asks for much that one query needs not."""
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            try:
                found = connection.execute("SELECT id FROM organisation").fetchall()
            except psycopg.errors.UndefinedTable:
                return []
        return [f"{self._mark}{row[0].replace('-', '')}" for row in found]

    @property
    def _template(self) -> str:
        return f"{self._mark}control_template"

    def _drop_all(self) -> None:
        with self._maintenance.connect() as connection:
            statement = text("SELECT datname FROM pg_database WHERE starts_with(datname, :mark)")
            for name in connection.scalars(statement, {"mark": self._mark}).all():
                servers.drop(connection, name)


def memory() -> Path | None:
    """Where databases are made in a tenth of the time, if there is room."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED else None
