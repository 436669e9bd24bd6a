"""PostgreSQL servers: making and dropping their databases."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from pigi.store.engines import make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import URL, Connection

MAINTENANCE = "postgres"
"""Connected to while others are made. Never template1: whoever is connected there stops CREATE DATABASE."""

ALREADY_THERE = {"42P04", "23505"}
"""duplicate_database, and unique_violation of pg_database when two make one at the same moment."""

NAME_BYTES = 63
"""PostgreSQL cuts longer names off in silence (NAMEDATALEN - 1), which could make two organisations one."""


@contextmanager
def maintenance(url: str | URL) -> Iterator[Connection]:
    """A connection to the server of ``url`` on which each statement is its own transaction."""
    engine = make_engine(make_url(url).set(database=MAINTENANCE), pool_size=1, patient=True)
    try:
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def server_lock(connection: Connection, name: str) -> Iterator[None]:
    """Hold a named lock against every connection to the maintenance database; a lost connection frees it."""
    key = func.hashtextextended(name, 0)
    connection.execute(select(func.pg_advisory_lock(key)))
    try:
        yield
    finally:
        connection.execute(select(func.pg_advisory_unlock(key)))


def exists(connection: Connection, name: str) -> bool:
    """Whether the server has a database of this name."""
    found = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name})
    return found.first() is not None


def sizes(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """How many bytes each of these databases takes, of those that are there."""
    statement = text("SELECT datname, pg_database_size(oid) AS bytes FROM pg_database WHERE datname = ANY(:names)")
    return {row.datname: row.bytes for row in connection.execute(statement, {"names": list(names)})}


def create(connection: Connection, name: str, template: str = "template0") -> bool:
    """Make a database as a copy of ``template``; False when another made it first."""
    made, copied = _quoted(connection, name), _quoted(connection, template)
    try:
        connection.exec_driver_sql(f"CREATE DATABASE {made} TEMPLATE {copied}")
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in ALREADY_THERE:
            return False
        raise
    return True


def drop(connection: Connection, name: str) -> None:
    """Drop a database, if there is one, cutting off whoever is connected to it."""
    connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(connection, name)} WITH (FORCE)")


def rename(connection: Connection, name: str, new_name: str) -> None:
    """Give a database that nobody is connected to another name, which is free."""
    old, new = _quoted(connection, name), _quoted(connection, new_name)
    connection.exec_driver_sql(f"ALTER DATABASE {old} RENAME TO {new}")


def close_to_all(connection: Connection, name: str) -> None:
    """Let nobody connect to a database any more, so that it can always be copied from."""
    connection.exec_driver_sql(f"ALTER DATABASE {_quoted(connection, name)} WITH ALLOW_CONNECTIONS false")


def is_closed(connection: Connection, name: str) -> bool:
    """Whether there is a database of this name to which nobody may connect."""
    statement = text("SELECT 1 FROM pg_database WHERE datname = :name AND NOT datallowconn")
    return connection.execute(statement, {"name": name}).first() is not None


def _quoted(connection: Connection, name: str) -> str:
    if len(name.encode()) > NAME_BYTES:
        message = f"a database's name may have {NAME_BYTES} bytes"
        raise ValueError(message)
    return connection.dialect.identifier_preparer.quote_identifier(name)
