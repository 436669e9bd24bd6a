"""Copies of whole databases as files: made while others write, and put back into an empty database.

A copy is the state of one moment, and holds nobody up. On SQLite it is a database, made by SQLite's online backup
(https://sqlite.org/backup.html). On PostgreSQL it is the rows of each table in PostgreSQL's own binary form, read in
one transaction; the tables themselves come from the migrations up to the revision that the copy says it has.
"""

from __future__ import annotations

import json
import os
import sqlite3
import struct
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from pigi.store import servers
from pigi.store.engines import make_engine
from pigi.store.files import FILE_MODE, private_folder
from pigi.store.migrate import LOCK, Tree, migrate_to, revision_of
from pigi.store.provision import SIDE_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import URL

BLOCK = 256 * 1024
"""Bytes of rows that are written at once; PostgreSQL hands them out one by one."""
LENGTH = struct.Struct(">I")
REVISIONS = "alembic_version"


class CopyBrokenError(Exception):
    """The database's own check finds it damaged: a copy of it would be no backup."""


def copy_out(url: str | URL, path: Path) -> str:
    """Copy the database at ``url`` to the new file ``path``; returns the revision that it had.

    Raises CopyBrokenError, and whatever the database raises: SQLAlchemyError, sqlite3.Error, psycopg.Error.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    if make_url(url).get_backend_name() == "sqlite":
        return _sqlite_out(url, path)
    return _postgresql_out(url, path)


def copy_in(url: str | URL, tree: Tree, revision: str, path: Path) -> None:
    """Fill the database at ``url``, which is there and has no tables, with what `copy_out` wrote. Raises likewise."""
    if make_url(url).get_backend_name() == "sqlite":
        with _sqlite(url) as target, closing(sqlite3.connect(path)) as source:
            source.backup(target)
        return
    migrate_to(url, tree, revision)
    with path.open("rb") as file, _postgresql(url) as connection, connection.transaction():
        for head in _heads(file):
            into = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(*_names(head))
            with connection.cursor().copy(into) as copy:
                for block in _blocks(file):
                    copy.write(block)


def _sqlite_out(url: str | URL, path: Path) -> str:
    with _sqlite(url) as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
        # In one step: it reads as of one moment, and in WAL mode no writer waits for it or makes it begin anew.
        source.backup(copy, pages=-1)
        # One file, without a -wal beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise CopyBrokenError
        found = copy.execute(f"SELECT version_num FROM {REVISIONS}").fetchone()  # noqa: S608 - a constant
    return str(found[0])


@contextmanager
def _sqlite(url: str | URL) -> Iterator[sqlite3.Connection]:
    engine = make_engine(url, pool_size=1)
    try:
        with closing(engine.raw_connection()) as pooled:
            connection: Any = pooled.driver_connection
            yield connection
    finally:
        engine.dispose()


def _postgresql_out(url: str | URL, path: Path) -> str:
    with _postgresql(url) as connection, path.open("wb") as file:
        # Shared with other copies; a migration waits, so that tables and rows are of one revision.
        connection.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", [LOCK])
        tables = _tables(url)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            for name, columns in tables:
                head = {"table": name, "columns": columns}
                file.write(json.dumps(head).encode() + b"\n")
                out = sql.SQL("COPY {} ({}) TO STDOUT (FORMAT binary)").format(*_names(head))
                with connection.cursor().copy(out) as copy:
                    _write_blocks(file, copy)
            found: Any = connection.execute(f"SELECT version_num FROM {REVISIONS}").fetchone()  # noqa: S608 - a constant
    return str(found[0])


@contextmanager
def _postgresql(url: str | URL) -> Iterator[psycopg.Connection[Any]]:
    """A connection of its own, on which only `transaction` begins one; locks are waited for without end."""
    engine = make_engine(url, pool_size=1, patient=True)
    try:
        pooled = engine.raw_connection()
        try:
            connection: Any = pooled.driver_connection
            connection.autocommit = True
            yield connection
        finally:
            # Not back into the pool: its state is not the pool's.
            pooled.invalidate()
    finally:
        engine.dispose()


def _tables(url: str | URL) -> list[tuple[str, list[str]]]:
    """Tables with their columns, each after those that it refers to."""
    engine = make_engine(url, pool_size=1, patient=True)
    try:
        with engine.connect() as connection:
            if not revision_of(connection):
                raise CopyBrokenError
            found = inspect(connection)
            names = [name for name, _keys in found.get_sorted_table_and_fkc_names() if name not in {None, REVISIONS}]
            return [(str(name), [column["name"] for column in found.get_columns(str(name))]) for name in names]
    finally:
        engine.dispose()


def _names(head: dict[str, Any]) -> tuple[sql.Composable, sql.Composable]:
    return sql.Identifier(head["table"]), sql.SQL(", ").join(sql.Identifier(name) for name in head["columns"])


def _write_blocks(file: IO[bytes], rows: Iterable[Any]) -> None:
    """The rows as blocks, each after its length, and an empty one as their end."""
    block = bytearray()
    for row in rows:
        block += row
        if len(block) >= BLOCK:
            file.write(LENGTH.pack(len(block)) + block)
            block.clear()
    if block:
        file.write(LENGTH.pack(len(block)) + block)
    file.write(LENGTH.pack(0))


def _heads(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    while line := file.readline():
        yield json.loads(line)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while length := LENGTH.unpack(file.read(LENGTH.size))[0]:
        yield file.read(length)


def make_empty(url: str) -> None:
    """Make the database at ``url``, without tables; what was there is dropped."""
    drop(url)
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        path = Path(target.database or "").absolute()
        private_folder(path.parent)
        path.touch(FILE_MODE)
        return
    with servers.maintenance(target) as connection:
        servers.create(connection, target.database or "")


def drop(url: str) -> None:
    """Drop the database at ``url``, if there is one."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        path = Path(target.database or "").absolute()
        for name in (*(f"{path.name}{side}" for side in SIDE_FILES), path.name):
            path.with_name(name).unlink(missing_ok=True)
        return
    with servers.maintenance(target) as connection:
        servers.drop(connection, target.database or "")


def put_in_place(url: str, final_url: str) -> None:
    """Make the database at ``url``, to which nobody is connected, that at ``final_url``; what was there is dropped."""
    target, final = make_url(url), make_url(final_url)
    if target.get_backend_name() == "sqlite":
        path = Path(target.database or "").absolute()
        with closing(sqlite3.connect(path)) as connection:
            # All into the one file, whose name changes.
            connection.execute("PRAGMA journal_mode = DELETE")
        drop(final_url)
        path.replace(Path(final.database or "").absolute())
        return
    with servers.maintenance(target) as connection:
        servers.drop(connection, final.database or "")
        servers.rename(connection, target.database or "", final.database or "")
