"""Engines, and the one place where SQLite and PostgreSQL differ.

SQLite: WAL, foreign keys, secure_delete (erased bytes are overwritten), a busy timeout, and transactions
that take the write lock when they begin, since a reader that turns writer fails at once in WAL mode.
PostgreSQL: a lock timeout of the same length, and a server that falls silent counts as away after seconds.
Error messages never show parameters.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url

from pigi.store.instants import sqlite_now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from sqlalchemy import URL, ColumnElement, Connection, Engine, Select
    from sqlalchemy.exc import DBAPIError

BUSY_SECONDS = 15.0
"""How long a statement waits for a lock, unless `lock_wait` says less; then it fails with an OperationalError."""
SILENCE_SECONDS = 4
"""A PostgreSQL server that neither takes a connection nor acknowledges anything for so long is away."""
TRY_SECONDS = SILENCE_SECONDS + 1.0
"""How long an act that waits for no lock may last while the server is silent; the kernel's timers are coarse."""
LOCK_NOT_AVAILABLE = "55P03"
UNDEFINED_TABLE = "42P01"
"""PostgreSQL's documentation, appendix A."""


_REACHING: dict[str, Any] = {
    "application_name": "pigi",
    "connect_timeout": SILENCE_SECONDS,
    "tcp_user_timeout": SILENCE_SECONDS * 1000,
    "keepalives": 1,
    "keepalives_idle": SILENCE_SECONDS - 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
}
"""PostgreSQL's documentation, 34.1.2: without these, a machine that vanished is noticed after hours."""
_LOCK_WAIT: ContextVar[float] = ContextVar("lock_wait", default=BUSY_SECONDS)


def make_engine(
    url: str | URL,
    *,
    pool_size: int = 5,
    max_overflow: int | None = None,
    relaxed: bool = False,
    patient: bool = False,
) -> Engine:
    """An engine for either database, with at most ``pool_size + max_overflow`` connections (twice the size).

    ``relaxed`` (SQLite only): commits survive a killed process but not a power cut. For claims and
    finishes only, whose loss makes a job run again and its recorded effects keep it single.
    ``patient`` (PostgreSQL only): locks are waited for without end, as where others may migrate for minutes.
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
    return _postgresql_engine(target, pool, 0 if patient else BUSY_SECONDS)


@contextmanager
def lock_wait(seconds: float) -> Iterator[None]:
    """In this block, transactions that begin wait at most ``seconds`` for a lock, instead of `BUSY_SECONDS`.

    Over a second it is rounded up to a whole one: each other wait costs a statement, and most are the usual one.
    """
    wanted = math.ceil(seconds) if seconds > 1 else max(0.001, seconds)
    token = _LOCK_WAIT.set(min(wanted, _LOCK_WAIT.get()))
    try:
        yield
    finally:
        _LOCK_WAIT.reset(token)


def _postgresql_engine(url: URL, pool: dict[str, Any], lock_seconds: float) -> Engine:
    # What the address says goes first: it comes from somebody who knows their network.
    theirs = url.query.get("options", "")
    options = f"-c lock_timeout={lock_seconds * 1000:.0f} {theirs if isinstance(theirs, str) else ' '.join(theirs)}"
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_recycle=1800,
        hide_parameters=True,
        connect_args={name: value for name, value in _REACHING.items() if name not in url.query} | {"options": options},
        **pool,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        wanted, info = _LOCK_WAIT.get(), connection.info
        if wanted == info.get("lock_wait", BUSY_SECONDS):
            return
        if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
            info["lock_wait"] = wanted
            connection.exec_driver_sql(f"SET lock_timeout = {wanted * 1000:.0f}")
        else:
            # Not for longer: a rollback would undo it and nobody would know.
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wanted * 1000:.0f}")

    return engine


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
        wanted, info = _LOCK_WAIT.get(), connection.info
        if wanted != info.get("lock_wait", BUSY_SECONDS):
            info["lock_wait"] = wanted
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {wanted * 1000:.0f}")
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def is_sqlite(connection: Connection) -> bool:
    """Whether this connection speaks to SQLite."""
    return connection.dialect.name == "sqlite"


def truncate_log(connection: Connection) -> bool:
    """Move all of SQLite's write-ahead log into the database's file and cut the log to nothing.

    ``secure_delete`` overwrites what was deleted in the file; until this was done after the deletion, the log still
    holds the pages as they were. False if readers or writers stood in the way for as long as `lock_wait` says: try
    again. On PostgreSQL there is nothing to do here: vacuum and the recycling of its log are the server's own.
    ``connection`` must be in no transaction (`pigi.store.sessions.ControlDatabase.autocommit`).
    """
    if not is_sqlite(connection):
        return True
    return not connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()


def lock_name(connection: Connection, name: str, *, shared: bool = False) -> None:
    """Hold a named lock to the end of the transaction (PostgreSQL); SQLite's write lock serves there."""
    if not is_sqlite(connection):
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        connection.execute(select(lock(func.hashtextextended(name, 0))))


def row_place(connection: Connection) -> ColumnElement[Any]:
    """Where a row lies: reaching it so costs less than by any key, and holds within one statement."""
    return literal_column("rowid" if is_sqlite(connection) else "ctid")


def is_one_of(connection: Connection, places: Select[Any]) -> ColumnElement[bool]:
    """The condition on rows of which `row_place` is among these; PostgreSQL goes straight to the places of an array."""
    if is_sqlite(connection):
        return row_place(connection).in_(places)
    return row_place(connection) == func.any(func.array(places.scalar_subquery()))


def insert_into(connection: Connection, table: Any) -> Any:
    """An INSERT of this database's dialect, for ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
    return (sqlite if is_sqlite(connection) else postgresql).insert(table)


def is_locked(error: DBAPIError) -> bool:
    """Whether a statement waited too long for another's lock, on PostgreSQL: the database is there, and busy."""
    return getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE


def lacks_table(error: DBAPIError) -> bool:
    """Whether the statement names a table that this database does not have yet: its migration has not run."""
    return getattr(error.orig, "sqlstate", None) == UNDEFINED_TABLE or "no such table" in str(error.orig)
