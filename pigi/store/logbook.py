"""The logs of promise P04, written beside the work rather than in it: requests, errors, usage signals.

Whoever logs something only appends an entry to a bounded list. One thread a process writes batches, on a connection
of its own. When the database is slow or away, the list fills up; what does not fit is dropped and counted, and
the count becomes an entry of the error log. Nothing here ever raises into the work or makes it wait.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert

from pigi.logs import NOTED
from pigi.store.engines import insert_into, is_sqlite, make_engine
from pigi.store.outages import is_passing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

MOST = 10_000
"""Entries that may wait; some ten megabytes."""
BATCH = 500
EVERY_SECONDS = 1.0
"""Seldom, since on SQLite each batch holds up other writers for a moment."""
LONGEST_PAUSE = 30.0
LOCK_SECONDS = 5
"""For a lock. After that the thread lets go and tries again later, so that an end of the process need not wait."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LogEntry:
    """A row for one of the logs.

    One with ``words`` is urgent, since a failing process may not live long; they also go to standard error, which
    may be all that can be written. With ``adds`` it is counted rather than kept: that column is added to the row of the
    same primary key, and what else it says replaces what was there.
    """

    table: Any
    values: dict[str, Any]
    words: str | None = None
    adds: str | None = None


class Logbook:
    """A bounded list of entries and the thread that writes them, which starts with the first entry."""

    def __init__(self, database_url: str, of_dropped: Callable[[int], LogEntry], most: int = MOST) -> None:
        self._url, self._of_dropped, self._most = database_url, of_dropped, most
        self._engine: Engine | None = None
        self.start_over()

    def start_over(self) -> None:
        """As new; in a fork's child, where threads, locks and connections are the parent's."""
        self._entries: deque[LogEntry] = deque()
        self._words: deque[str] = deque()
        self._dropped = 0
        self._starting, self._writing = threading.Lock(), threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._closed = False

    def before_fork(self) -> None:
        """Let go of the database until `after_fork`.

        A child that inherits an open SQLite file and closes it drops its own locks, and entries are lost (sqlite.org,
        "How To Corrupt An SQLite Database File", section 2.6).
        """
        self._writing.acquire()
        if self._engine is not None:
            self._engine.dispose()

    def after_fork(self) -> None:
        """Go on, in the parent."""
        self._writing.release()

    @property
    def waiting(self) -> int:
        """How many entries are not written yet."""
        return len(self._entries)

    def put(self, entry: LogEntry) -> None:
        """Take an entry; returns at once."""
        if len(self._entries) >= self._most:
            self._dropped += 1
            return
        self._entries.append(entry)
        if self._thread is None:
            self._start()
        if entry.words is not None:
            self._words.append(entry.words)
            self._wanted.set()

    def flush(self) -> bool:
        """Write what there is; False when the database would not take it."""
        with self._writing:
            while self._words:
                logger.error(self._words.popleft(), extra=NOTED)
            while batch := [self._entries.popleft() for _ in range(min(BATCH, len(self._entries)))]:
                if not self._write(batch):
                    return False
            return True

    def close(self) -> None:
        """Write what there is, once, and let go of the database."""
        self._closed = True
        self._wanted.set()
        self.flush()
        if self._engine is not None:
            self._engine.dispose()

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="pigi-logbook", daemon=True)
            with suppress(RuntimeError):  # no thread can be had; the entries wait for `close`
                self._thread.start()

    def _run(self) -> None:
        pause = EVERY_SECONDS
        while not self._closed:
            self._wanted.wait(pause)
            self._wanted.clear()
            pause = EVERY_SECONDS if self.flush() else min(pause * 2, LONGEST_PAUSE)

    def _write(self, entries: list[LogEntry]) -> bool:
        dropped, self._dropped = self._dropped, 0
        try:
            self._store([*entries, self._of_dropped(dropped)] if dropped else entries)
        except Exception as error:  # noqa: BLE001 - whatever it was, the thread must live
            if is_passing(error):
                self._dropped += dropped
                self._entries.extendleft(reversed(entries))
                return False
            self._dropped += dropped + len(entries)
            logger.warning("%d log entries lost (%s)", len(entries), type(error).__name__)
        return True

    def _store(self, batch: list[LogEntry]) -> None:
        if self._engine is None:
            self._engine = _engine(self._url)
        by_table: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        for entry in batch:
            if entry.adds is None:
                by_table[entry.table].append(entry.values)
        with self._engine.begin() as connection:
            _be_brief(connection)
            for table, rows in by_table.items():
                connection.execute(insert(table), rows)
            for entry in _added_up(batch):
                connection.execute(_adding(connection, entry))


def _added_up(batch: list[LogEntry]) -> list[LogEntry]:
    """What is counted, one entry a row, in an order in which no two writers wait for one another."""
    totals: dict[tuple[str, ...], LogEntry] = {}
    for entry in batch:
        if entry.adds is not None:
            key = (entry.table.name, *(str(entry.values[column.name]) for column in entry.table.primary_key))
            before = totals[key].values[entry.adds] if key in totals else 0
            totals[key] = replace(entry, values={**entry.values, entry.adds: before + entry.values[entry.adds]})
    return [totals[key] for key in sorted(totals)]


def _adding(connection: Connection, entry: LogEntry) -> Any:
    statement = insert_into(connection, entry.table).values(entry.values)
    keys = list(entry.table.primary_key)
    after = {name: statement.excluded[name] for name in entry.values.keys() - {column.name for column in keys}}
    after[str(entry.adds)] = entry.table.c[entry.adds] + statement.excluded[entry.adds]
    return statement.on_conflict_do_update(index_elements=keys, set_=after)


def _engine(url: str) -> Engine:
    """One connection, apart from the pool of requests. A power cut may cost the last entries: no commit waits."""
    engine = make_engine(url, pool_size=1, max_overflow=0, relaxed=True)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def be_brief(connection: Any, _record: Any) -> None:
            connection.execute(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")

    return engine


def _be_brief(connection: Connection) -> None:
    if not is_sqlite(connection):
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LOCK_SECONDS}s'")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
