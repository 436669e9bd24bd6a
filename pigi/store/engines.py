"""Engines, and the one place where SQLite and PostgreSQL differ.

SQLite: WAL, foreign keys, secure_delete (erased bytes are overwritten), a busy timeout, and transactions
that take the write lock when they begin, since a reader that turns writer fails at once in WAL mode.
PostgreSQL: nothing but sane pools. Error messages never show parameters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from pigi.store.instants import sqlite_now

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.exc import DBAPIError

BUSY_SECONDS = 15
UNDEFINED_TABLE = "42P01"
"""PostgreSQL's documentation, appendix A."""


def make_engine(
    url: str | URL, *, pool_size: int = 5, max_overflow: int | None = None, relaxed: bool = False
) -> Engine:
    """An engine for either database, with at most ``pool_size + max_overflow`` connections (twice the size).

    ``relaxed`` (SQLite only): commits survive a killed process but not a power cut. For claims and
    finishes only, whose loss makes a job run again and its recorded effects keep it single.
    """
    target = make_url(url)
    pool: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": pool_size if max_overflow is None else max_overflow,
        "pool_timeout": 10,
        "pool_use_lifo": True,
    }
    if target.get_backend_name() == "sqlite":
        return _sqlite_engine(target, pool, relaxed=relaxed)
    return create_engine(
        target.set(drivername="postgresql+psycopg"),
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "pigi"},
        **pool,
    )


def _sqlite_engine(url: URL, pool: dict[str, Any], *, relaxed: bool) -> Engine:
    connect_args = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, connect_args=connect_args, **pool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        connection.create_function("pigi_now", 1, sqlite_now)
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {'NORMAL' if relaxed else 'FULL'}",
            "foreign_keys = ON",
            "secure_delete = ON",
            # Or what REPLACE removes would not be seen by triggers that guard it.
            "recursive_triggers = ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def is_sqlite(connection: Connection) -> bool:
    """Whether this connection speaks to SQLite."""
    return connection.dialect.name == "sqlite"


def lock_name(connection: Connection, name: str) -> None:
    """Hold a named lock to the end of the transaction (PostgreSQL); SQLite's write lock serves there."""
    if not is_sqlite(connection):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def insert_into(connection: Connection, table: Any) -> Any:
    """An INSERT of this database's dialect, for ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return (sqlite if is_sqlite(connection) else postgresql).insert(table)


def lacks_table(error: DBAPIError) -> bool:
    """Whether the statement names a table that this database does not have yet: its migration has not run."""
    return getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE or "no such table" in str(error.orig)
