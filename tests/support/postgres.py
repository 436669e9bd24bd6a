"""Databases on PostgreSQL for tests: one server a run, and copies of a migrated control database."""

from __future__ import annotations

import secrets
import shutil
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sqlalchemy import inspect, select, text
from sqlalchemy.engine import make_url

from devtools.postgres import PostgresServer
from pigi.store import servers
from pigi.store.control import Organisation
from pigi.store.engines import make_engine
from pigi.store.migrate import migrate_control
from tests.support.factories import make_settings

if TYPE_CHECKING:
    from pigi.settings import Settings

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory; the server makes a folder of mode 0700 there
MEMORY_NEEDED = 4 << 30
"""Bytes free there before it is used: a database takes 8 MB and a container often grants only 64."""

__all__ = ["PostgresServer", "PostgresStores"]


class PostgresStores:
    """What `tests.support.sqlite.SqliteStores` is for SQLite. Names carry a mark, since servers may be shared."""

    def __init__(self) -> None:
        self.server = PostgresServer(durable=False, parent=_memory())
        self._mark = f"t{secrets.token_hex(4)}_"
        self._count = count()

    def __enter__(self) -> Self:
        self.server.start()
        migrate_control(self.server.url(self._template))
        return self

    def __exit__(self, *_exception: object) -> None:
        if self.server.external:
            self._drop_all()
        self.server.stop()
        self.server.remove()

    def bare(self, home: Path) -> Settings:
        """Settings whose databases do not exist yet."""
        control = self.server.url(f"{self._mark}control_{next(self._count)}")
        return make_settings(home, control, self.server.url(f"{self._mark}{{id}}"))

    def fresh(self, home: Path) -> Settings:
        """Settings with an empty control database at the newest revision."""
        settings = self.bare(home)
        with servers.maintenance(settings.database_url) as connection:
            servers.create(connection, make_url(settings.database_url).database or "", self._template)
        return settings

    def clean(self, settings: Settings) -> None:
        """Drop the control database and those of the organisations in it."""
        name = make_url(settings.database_url).database or ""
        with servers.maintenance(settings.database_url) as connection:
            doomed = self._tenants(settings) if servers.exists(connection, name) else []
            for database in (*doomed, name):
                servers.drop(connection, database)

    def _tenants(self, settings: Settings) -> list[str]:
        engine = make_engine(settings.database_url)
        with engine.connect() as connection:
            known = inspect(connection).has_table(Organisation.__tablename__)
            found = connection.scalars(select(Organisation.id)).all() if known else []
        engine.dispose()
        return [f"{self._mark}{organisation_id.replace('-', '')}" for organisation_id in found]

    @property
    def _template(self) -> str:
        return f"{self._mark}control_template"

    def _drop_all(self) -> None:
        with servers.maintenance(self.server.url()) as connection:
            statement = text("SELECT datname FROM pg_database WHERE starts_with(datname, :mark)")
            for name in connection.scalars(statement, {"mark": self._mark}).all():
                servers.drop(connection, name)


def _memory() -> Path | None:
    """Where databases are made in a tenth of the time, if there is room."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED else None
