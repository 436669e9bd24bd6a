"""Migrations: two numbered trees, one for each kind of database, run without a configuration file.

Revisions are numbered without gaps and a file's number is its revision, so the newest is known without
loading Alembic (0.4 s), which is loaded only where something is really migrated.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from pigi.store import servers
from pigi.store.engines import lock_name, make_engine
from pigi.store.files import FILE_MODE, locked, private_folder

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

Tree = Literal["control", "tenant"]

HERE = Path(__file__).parent / "migrations"
LOCK = "pigi.migrate"
ONE_AT_A_TIME = Lock()
"""Within a process, whatever the database: what a migration calls `op` is global in Alembic."""


def control_head() -> str:
    """The newest revision of the control database's tree."""
    return _head("control")


def tenant_head() -> str:
    """The newest revision of the tenant databases' tree."""
    return _head("tenant")


def control_revision(url: str) -> str:
    """The revision of the control database; empty when it has none or does not exist."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite" and not Path(target.database or "").exists():
        return ""
    engine = make_engine(url, pool_size=1)
    try:
        with engine.connect() as connection:
            return revision_of(connection)
    except OperationalError:
        if _is_missing(target):
            return ""
        raise
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str:
    """The revision of the database behind ``connection``; empty when it was never migrated."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def migrate_control(url: str) -> str:
    """Bring the control database to the newest revision, making it if it does not exist; returns the revision.

    Processes may call this together: one migrates, the others wait and find nothing to do.
    """
    target = make_url(url)
    if target.get_backend_name() != "sqlite":
        _make_control_database(target)
        return _migrate(url, "control")
    path = Path(target.database or "").absolute()
    private_folder(path.parent)
    # Not SQLite's own lock: turning a new file to WAL fails at once when another process does the same.
    with locked(path.with_name(f"{path.name}.lock")):
        path.touch(FILE_MODE)
        return _migrate(url, "control")


def migrate_tenant(url: str | URL) -> str:
    """Bring an existing tenant database to the newest revision and return it; it is not made here."""
    return _migrate(url, "tenant")


def migrate_to(url: str | URL, tree: Tree, revision: str) -> str:
    """Bring an existing database that is older to this revision, and return the revision that it then has.

    What was copied at a revision is put back into tables of that revision.
    """
    return _migrate(url, tree, revision)


def _migrate(url: str | URL, tree: Tree, revision: str = "") -> str:
    target = revision or _head(tree)
    engine = make_engine(url, pool_size=1, patient=True)
    try:
        # One transaction for all steps: DDL is transactional on both, so a failed migration leaves nothing.
        with engine.begin() as connection:
            lock_name(connection, LOCK)
            # Newer than this code is fine: the previous version runs on for one release.
            if revision_of(connection) < target:
                _upgrade(connection, tree, target)
            return revision_of(connection)
    finally:
        engine.dispose()


def _upgrade(connection: Connection, tree: Tree, target: str) -> None:
    from alembic import command  # noqa: PLC0415 - 0.4 s, and most processes migrate nothing
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(HERE / tree).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with ONE_AT_A_TIME:
        command.upgrade(config, target)


def _head(tree: Tree) -> str:
    return max(path.name.partition("_")[0] for path in (HERE / tree / "versions").glob("[0-9]*_*.py"))


def _make_control_database(target: URL) -> None:
    """Make the database only when it can't be reached, since few installations may connect to another one."""
    engine = make_engine(target, pool_size=1)
    try:
        engine.connect().close()
    except OperationalError as away:
        # That another process has made it meanwhile is no error: the next to connect will see.
        try:
            with servers.maintenance(target) as connection:
                servers.create(connection, target.database or "")
        except OperationalError:
            raise away from None
    finally:
        engine.dispose()


def _is_missing(target: URL) -> bool:
    """Whether the server says so; one that can't be asked has not."""
    try:
        with servers.maintenance(target) as connection:
            return not servers.exists(connection, target.database or "")
    except OperationalError:
        return False
