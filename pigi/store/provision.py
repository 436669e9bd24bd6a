"""Where tenant databases are, and how they are made (as copies of a migrated template) and dropped."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from sqlalchemy import URL
from sqlalchemy.engine import make_url

from pigi.errors import Misconfigured
from pigi.ids import is_id
from pigi.store import servers
from pigi.store.files import FILE_MODE, aside, locked, private_folder
from pigi.store.migrate import migrate_tenant, tenant_head

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from pigi.settings import Settings

PLACEHOLDER = "{id}"
SIDE_FILES = ("-wal", "-shm", "-journal")


class TenantDatabases(Protocol):
    """The databases of all tenants, on one kind of engine. ValueError for whatever is not an identifier."""

    def url(self, organisation_id: str) -> URL:
        """How to connect to an existing database; connecting never makes one."""
        ...

    def file(self, organisation_id: str) -> str | None:
        """The database's file, if it is one."""
        ...

    def exists(self, organisation_id: str) -> bool:
        """Whether the organisation has a database."""
        ...

    def sizes(self, organisation_ids: Collection[str]) -> dict[str, int]:
        """How many bytes each of these databases takes, of those that are there."""
        ...

    def create(self, organisation_id: str) -> bool:
        """Make the database at the newest revision; False when there was one, which is left alone."""
        ...

    def create_bare(self, organisation_id: str) -> None:
        """Make the database without any table, for a copy to be put back into; there must be none."""
        ...

    def drop(self, organisation_id: str) -> None:
        """Remove the database and all that belongs to it, if there is one."""
        ...


def tenant_databases(settings: Settings) -> TenantDatabases:
    """The databases that TENANT_DATABASE_URL speaks of; raises Misconfigured."""
    if PLACEHOLDER not in (make_url(settings.tenant_database_url).database or ""):
        raise Misconfigured(["TENANT_DATABASE_URL must have {id} in the database's name (P16)"])
    if make_url(settings.tenant_database_url).get_backend_name() == "sqlite":
        return Files(settings.tenant_database_url, settings.home / "templates")
    return Databases(settings.tenant_database_url)


def _checked(organisation_id: str) -> str:
    if not is_id(organisation_id):
        message = "not an identifier"
        raise ValueError(message)
    return organisation_id


class Files:
    """SQLite: a file an organisation."""

    def __init__(self, pattern: str, templates: Path) -> None:
        self._pattern = str(Path(make_url(pattern).database or "").absolute())
        self._template = templates / f"tenant-{tenant_head()}.db"

    def url(self, organisation_id: str) -> URL:
        """A SQLite URI that opens the file only if it exists."""
        # mode=rw: SQLite's own default would make an empty file where a database is missing.
        name = f"file:{quote(str(self._path(organisation_id)))}"
        return URL.create("sqlite", database=name, query={"mode": "rw", "uri": "true"})

    def file(self, organisation_id: str) -> str | None:
        """The file's path."""
        return str(self._path(organisation_id))

    def exists(self, organisation_id: str) -> bool:
        """Whether the file exists."""
        return self._path(organisation_id).exists()

    def sizes(self, organisation_ids: Collection[str]) -> dict[str, int]:
        """The bytes of each file with what SQLite keeps beside it."""
        found = {}
        for organisation_id in organisation_ids:
            path = self._path(organisation_id)
            if path.exists():
                files = [path, *(path.with_name(f"{path.name}{side}") for side in SIDE_FILES)]
                found[organisation_id] = sum(file.stat().st_size for file in files if file.exists())
        return found

    def create(self, organisation_id: str) -> bool:
        """Copy the template to the file; False when there was one."""
        path = self._path(organisation_id)
        self.make_template()
        with locked(path.parent / ".lock"):
            if path.exists():
                return False
            with aside(path) as draft:
                shutil.copyfile(self._template, draft)
        return True

    def create_bare(self, organisation_id: str) -> None:
        """Make an empty file; FileExistsError if there is one."""
        path = self._path(organisation_id)
        private_folder(path.parent)
        path.touch(FILE_MODE, exist_ok=False)

    def drop(self, organisation_id: str) -> None:
        """Delete the file and what SQLite keeps beside it."""
        path = self._path(organisation_id)
        with locked(path.parent / ".lock"):
            # The file last: a -wal left behind without it would be replayed into the next file of this name.
            for name in (*(f"{path.name}{side}" for side in SIDE_FILES), path.name):
                path.with_name(name).unlink(missing_ok=True)

    def _path(self, organisation_id: str) -> Path:
        return Path(self._pattern.replace(PLACEHOLDER, _checked(organisation_id)))

    def make_template(self) -> None:
        """Make the migrated file that others are copied from, unless it is there."""
        if self._template.exists():
            return
        with locked(self._template.parent / ".lock"):
            if not self._template.exists():
                with aside(self._template) as draft:
                    migrate_tenant(URL.create("sqlite", database=str(draft)))


class Databases:
    """PostgreSQL: a database an organisation, all on one server."""

    def __init__(self, pattern: str) -> None:
        self._url = make_url(pattern)
        self._template = (self._url.database or "").replace(PLACEHOLDER, f"template_{tenant_head()}")
        longest = (self._url.database or "").replace(PLACEHOLDER, "0" * 32)
        if len(longest.encode()) > servers.NAME_BYTES:
            raise Misconfigured([f"TENANT_DATABASE_URL: the database's name may have {servers.NAME_BYTES} bytes"])

    def url(self, organisation_id: str) -> URL:
        """The address of the database."""
        return self._url.set(database=self._name(organisation_id))

    def file(self, organisation_id: str) -> str | None:
        """None: a database is not a file here."""
        _checked(organisation_id)
        return None

    def exists(self, organisation_id: str) -> bool:
        """Whether the server lists the database; a connection each time."""
        with servers.maintenance(self._url) as connection:
            return servers.exists(connection, self._name(organisation_id))

    def sizes(self, organisation_ids: Collection[str]) -> dict[str, int]:
        """The bytes of each database, in one query."""
        names = {self._name(organisation_id): organisation_id for organisation_id in organisation_ids}
        with servers.maintenance(self._url) as connection:
            return {names[name]: size for name, size in servers.sizes(connection, list(names)).items()}

    def create(self, organisation_id: str) -> bool:
        """Copy the template database; False when there was one."""
        name = self._name(organisation_id)
        with servers.maintenance(self._url) as connection:
            if servers.exists(connection, name):
                return False
            if not servers.is_closed(connection, self._template):
                with servers.server_lock(connection, f"pigi.template {self._template}"):
                    self._make_template(connection)
            return servers.create(connection, name, self._template)

    def create_bare(self, organisation_id: str) -> None:
        """Make an empty database; FileExistsError if there is one."""
        name = self._name(organisation_id)
        with servers.maintenance(self._url) as connection:
            if not servers.create(connection, name):
                raise FileExistsError(errno.EEXIST, "a database is there", name)

    def drop(self, organisation_id: str) -> None:
        """Drop the database, cutting off whoever is connected."""
        with servers.maintenance(self._url) as connection:
            servers.drop(connection, self._name(organisation_id))

    def _name(self, organisation_id: str) -> str:
        return (self._url.database or "").replace(PLACEHOLDER, _checked(organisation_id).replace("-", ""))

    def _make_template(self, connection: Connection) -> None:
        """Closed to connections means finished: whatever an interrupted making left is made anew."""
        if servers.is_closed(connection, self._template):
            return
        servers.drop(connection, self._template)
        servers.create(connection, self._template)
        migrate_tenant(self._url.set(database=self._template))
        servers.close_to_all(connection, self._template)
