"""Sweeps: beside a raw DELETE in batches, beside a writer, and when nothing or little is due.

All figures are of one run. The raw DELETE is by hand on the driver: the same rows, the same size of batches, and on
SQLite a rest between them, without which a writer would starve; the figure without it is printed too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from benchmarks.support import Ground, ground, percentile
from pigi.domain.retention import SWEPT, Retention, keep
from pigi.operations.retention import report_classes, run_sweep
from pigi.operations.retention.removal import BATCH, RANGE
from pigi.operations.retention.running import Pace

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

LINE = "INSERT INTO request_log (at, request_id, method, route, status, ms) VALUES ({at}, 'r', 'GET', '/bench', 200, 1)"
JOB_COLUMNS = (
    "id, kind, queue, lane, organisation_id, epoch, asked_by, state, created_at, due_at, finished_at, attempt, "
    "failures, lost, revision, timeline"
)
WRITES = 0.004
"""Seconds between two inserts of the writer."""


def at(base: Ground, moment: datetime) -> Any:
    """A moment as the raw driver takes it."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z" if is_sqlite(base) else moment


def is_sqlite(base: Ground) -> bool:
    return base.environment["DATABASE_URL"].startswith("sqlite")


def series(base: Ground, count: int) -> str:
    """A table ``n(i)`` of so many numbers."""
    if is_sqlite(base):
        return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
    return f"WITH n(i) AS (SELECT generate_series(1, {count}))"


def fill(base: Ground, count: int) -> None:
    """So many lines past their period, and as many that are not."""
    now = datetime.now(UTC)
    old, young = now - keep(Retention.REQUEST_LOG) - timedelta(days=1), now - timedelta(days=1)
    spread = "strftime('%Y-%m-%dT%H:%M:%f', :at, '-' || (i / 100) || ' seconds') || '000Z'"
    if not is_sqlite(base):
        spread = "CAST(:at AS timestamptz) - i * interval '10 milliseconds'"
    with base.application.control.transaction() as connection:
        connection.execute(text("DELETE FROM request_log"))
        for moment in (old, young):
            lines = LINE.format(at="X").split(" VALUES ")[0]
            query = f"{series(base, count)} {lines} SELECT {spread}, 'r', 'GET', '/bench', 200, 1 FROM n"
            if is_sqlite(base):
                query = f"{lines} {series(base, count)} SELECT {spread}, 'r', 'GET', '/bench', 200, 1 FROM n"
            connection.execute(text(query), {"at": at(base, moment)})
    if not is_sqlite(base):
        with base.application.control.autocommit() as connection:
            connection.execute(text("VACUUM ANALYZE request_log"))


def connect(url: str) -> Any:
    """A connection of the driver, in autocommit."""
    if url.startswith("sqlite"):
        import sqlite3

        made = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=15, isolation_level=None)
        for pragma in ("synchronous = FULL", "secure_delete = ON"):
            made.execute(f"PRAGMA {pragma}")
        return made
    import psycopg

    return psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)


def raw(base: Ground, *, rests: bool) -> float:
    """Seconds that a DELETE in batches takes by hand."""
    before = at(base, datetime.now(UTC) - keep(Retention.REQUEST_LOG))
    connection, began = connect(base.environment["DATABASE_URL"]), time.perf_counter()
    if is_sqlite(base):
        statement = f"""DELETE FROM request_log WHERE rowid IN
            (SELECT rowid FROM request_log WHERE at < ? LIMIT {BATCH})"""
        while connection.execute(statement, (before,)).rowcount:
            if rests:
                time.sleep(Pace.REST_SECONDS)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        last: Any = datetime(1970, 1, 1, tzinfo=UTC)
        find = f"SELECT at FROM request_log WHERE at >= %s AND at < %s ORDER BY at OFFSET {RANGE - 1} LIMIT 1"
        while True:
            row = connection.execute(find, (last, before)).fetchone()
            upper = row[0] if row else before
            connection.execute("DELETE FROM request_log WHERE at >= %s AND at <= %s AND at < %s", (last, upper, before))
            if row is None:
                break
            last = upper
        connection.execute("VACUUM request_log")
    return time.perf_counter() - began


def swept(base: Ground, retention: Retention = Retention.REQUEST_LOG) -> float:
    """Seconds that Pigi's sweep takes."""
    began = time.perf_counter()
    run_sweep(base.application, retention)
    return time.perf_counter() - began


def write(url: str, ready: Event, stop: Event, results: Any) -> None:
    """Insert one line at a time, each its own transaction, until told to stop."""
    connection, took = connect(url), []
    moment: Any = datetime.now(UTC)
    if url.startswith("sqlite"):
        moment = moment.isoformat(timespec="microseconds")[:26] + "Z"
    statement = LINE.format(at="?" if url.startswith("sqlite") else "%s")
    while not stop.is_set():
        began = time.perf_counter()
        connection.execute(statement, (moment,))
        took.append((time.perf_counter() - began) * 1000)
        ready.set()
        time.sleep(WRITES)
    results.put(took)


def beside_a_writer(base: Ground, act: Any) -> list[float]:
    """Milliseconds of each insert while ``act`` runs."""
    spawned = multiprocessing.get_context("spawn")
    ready, stop, results = spawned.Event(), spawned.Event(), spawned.Queue()
    writer = spawned.Process(target=write, args=(base.environment["DATABASE_URL"], ready, stop, results))
    writer.start()
    ready.wait()
    act()
    stop.set()
    found: list[float] = results.get()
    writer.join()
    return found


def furnish(base: Ground, organisations: int, jobs: int) -> list[str]:
    """So many organisations and ended jobs, none past its period; ids of ten organisations."""
    moment = at(base, datetime.now(UTC) - timedelta(days=5))
    identifier = "printf('%036d', i)" if is_sqlite(base) else "lpad(CAST(i AS text), 36, '0')"
    member = f"printf('%036d', 1 + i % {organisations})"
    if not is_sqlite(base):
        member = f"lpad(CAST(1 + i % {organisations} AS text), 36, '0')"
    rows = {
        ("organisation", "id, name, state, epoch, schema_revision, created_at", organisations):
            f"{identifier}, 'bench', 'active', 1, '', :at",
        ("job", JOB_COLUMNS, jobs):
            f"{identifier}, 'mail.send', 'mail', 'bench', {member}, 1, 'bench', 'succeeded', :at, :at, :at, "
            "1, 0, 0, 1, ''",
    }  # fmt: skip
    with base.application.control.transaction() as connection:
        for (table, columns, count), values in rows.items():
            source = series(base, count)
            query = f"INSERT INTO {table} ({columns}) {source} SELECT {values} FROM n"
            connection.execute(text(query), {"at": moment})
    if not is_sqlite(base):
        with base.application.control.autocommit() as connection:
            connection.execute(text("ANALYZE"))
    return [f"{number:036d}" for number in range(1, 11)]


def cost_of_looking(base: Ground, organisations: int, jobs: int) -> None:
    """How long each sweep takes that finds nothing, and one that finds what ten organisations have."""
    ten = furnish(base, organisations, jobs)
    for retention in SWEPT:
        swept(base, retention)
    looks = {retention: statistics.median(swept(base, retention) for _ in range(5)) for retention in SWEPT}
    slowest = max(looks, key=lambda one: looks[one])
    print(f"nothing due: slowest sweep {looks[slowest] * 1000:.1f} ms, all {sum(looks.values()) * 1000:.0f} ms")
    old = at(base, datetime.now(UTC) - timedelta(days=31))
    with base.application.control.transaction() as connection:
        for one in ten:
            connection.execute(
                text("UPDATE job SET finished_at = :at WHERE organisation_id = :one"), {"at": old, "one": one}
            )
    due = len(ten) * jobs // organisations
    print(f"ten organisations due: {due:,} jobs buried in {swept(base, Retention.JOB) * 1000:.0f} ms")
    began = time.perf_counter()
    report_classes(base.application, counted=False)
    print(f"page of retention: {(time.perf_counter() - began) * 1000:.0f} ms")


def measure(engine: str, count: int, organisations: int, jobs: int) -> None:
    """One engine."""
    print(f"{engine}: {count:,} of {2 * count:,} lines past their period", flush=True)
    with ground(engine) as base:
        by_hand, alone, ours = [], [], []
        for _ in range(3):
            for found, act in ((by_hand, lambda: raw(base, rests=True)), (ours, lambda: swept(base))):
                fill(base, count)
                found.append(act())
            fill(base, count)
            alone.append(raw(base, rests=False))
        hand, sweep = statistics.median(by_hand), statistics.median(ours)
        print(f"sweep {count / sweep:,.0f} rows/s, by hand {count / hand:,.0f} rows/s, ratio {hand / sweep:.2f}")
        rash = statistics.median(alone)
        print(f"by hand without rest {count / rash:,.0f} rows/s, ratio {rash / sweep:.2f}", flush=True)
        fill(base, count)
        quiet = beside_a_writer(base, lambda: time.sleep(3))
        during = beside_a_writer(base, lambda: swept(base))
        before, after = (percentile(times, 0.99) for times in (quiet, during))
        print(
            f"a writer's p99 {before:.1f} ms, beside the sweep {after:.1f} ms, ratio {after / before:.2f}", flush=True
        )
        cost_of_looking(base, organisations, jobs)


def main() -> None:
    """Both engines, unless told otherwise."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--engines", default="sqlite,postgresql")
    reader.add_argument("--rows", type=int, default=500_000)
    reader.add_argument("--organisations", type=int, default=10_000)
    reader.add_argument("--jobs", type=int, default=1_000_000)
    options = reader.parse_args()
    for engine in options.engines.split(","):
        measure(engine, options.rows, options.organisations, options.jobs)


if __name__ == "__main__":
    main()
