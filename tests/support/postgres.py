"""Databases on PostgreSQL for tests: one server a run, and copies of a migrated control database."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter, deque
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

MOST_USES = 40
"""Tests that get one database after another: nothing tidies it up, so its tables grow by what was deleted."""
SCHEMA = """
SELECT (SELECT string_agg(version_num, ',') FROM alembic_version),
  (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_class),
  (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_attribute WHERE attrelid >= 16384),
  (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_attrdef),
  (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_trigger),
  (SELECT (count(*), sum(xmin::text::bigint))::text FROM pg_constraint)
"""
"""Differs once anybody has changed a database's schema, since each change writes rows of these catalogues anew."""
EMPTY = """
SET session_replication_role = replica;
DO $$
DECLARE one regclass;
BEGIN
  FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0
  LOOP EXECUTE format('DELETE FROM %s', one); END LOOP;
  FOR one IN SELECT oid FROM pg_class WHERE relkind = 'S'
  LOOP PERFORM setval(one, 1, false); END LOOP;
END $$
"""
"""As a role of replication, for which neither references nor the triggers that keep rows count."""
CUT_OFF = text("SELECT bool_and(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity WHERE datname = :name")

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
        self._spare: deque[str] = deque()
        self._uses: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self.server.start()
        migrate_control(self.server.url(self._template))
        with psycopg.connect(self.server.url(self._template), autocommit=True) as connection:
            self._schema = connection.execute(SCHEMA).fetchone()
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
        name = make_url(settings.database_url).database or ""
        with self._maintenance.connect() as connection:
            # The one that was given back last may still see its last connection off.
            if len(self._spare) > 1:
                used = self._spare.popleft()
                # Whatever a test left running may have come back to it.
                connection.execute(CUT_OFF, {"name": used})
                servers.rename(connection, used, name)
                self._uses[name] = self._uses.pop(used, 0) + 1
            else:
                servers.create(connection, name, self._template)
        return settings

    def clean(self, settings: Settings) -> None:
        """Drop the databases of the organisations, and empty the control database for another test, or drop it too."""
        name = make_url(settings.database_url).database or ""
        with self._maintenance.connect() as connection:
            # A second time is no news: what was given back would be handed on twice.
            if name in self._spare or not servers.exists(connection, name):
                return
            connection.execute(CUT_OFF, {"name": name})
            tenants, is_spare = self._emptied(settings.database_url)
            for database in tenants:
                servers.drop(connection, database)
            if is_spare and self._uses[name] < MOST_USES:
                self._spare.append(name)
            else:
                servers.drop(connection, name)

    def _emptied(self, url: str) -> tuple[list[str], bool]:
        """The organisations' databases; and whether nothing is left in this one, whose schema is as it was made.

        Without an engine, whose first connection asks for much that this needs not.
        """
        with psycopg.connect(url, autocommit=True) as connection:
            try:
                found = connection.execute("SELECT id FROM organisation").fetchall()
                is_whole = not self.server.external and connection.execute(SCHEMA).fetchone() == self._schema
            except psycopg.errors.UndefinedTable:
                return [], False
            if is_whole:
                connection.execute(EMPTY)
        return [f"{self._mark}{row[0].replace('-', '')}" for row in found], is_whole

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
