"""The logbook: it holds up nobody, whatever becomes of the database, and counts what it could not keep."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from sqlalchemy import func, select, text

from pigi.application import Application
from pigi.store import logbook as module
from pigi.store.log_entries import ERROR, REQUEST, error_entry, on_stderr, request_entry, usage_entry
from pigi.store.logbook import Logbook, LogEntry
from pigi.store.sessions import ControlDatabase
from tests.support.sources import ROOT
from tests.support.stack import until


@pytest.fixture
def application(settings):
    opened = Application.open(settings)
    yield opened
    opened.dispose()


def of_dropped(count):
    return error_entry("logbook", "LinesDropped", [str(count)])


@pytest.fixture
def book(settings):
    opened = Logbook(settings.database_url, of_dropped)
    yield opened
    opened.close()


def line(number=1):
    facts = {"method": "GET", "route": "/healthz", "status": 200, "ms": 1.234, "organisation_id": None, "job_id": None}
    return request_entry(request_id=f"request-{number}", **facts)


def written(application, table=REQUEST):
    with application.control.autocommit() as connection:
        return connection.execute(select(table).order_by(table.c.id)).all()


def count(application):
    with application.control.autocommit() as connection:
        return connection.execute(select(func.count()).select_from(REQUEST)).scalar()


def test_lines_are_written_by_themselves(application, book):
    book.put(line())
    until(lambda: count(application) == 1, 10, "the thread writes")


def test_lines_of_all_logs_go_in_batches(application, book, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 3)
    for number in range(10):
        book.put(line(number))
    book.put(error_entry("/somewhere", "ValueError", ["a:b:1"]))
    book.put(usage_entry("generation.asked", "o" * 36))
    assert book.flush()
    assert [row.request_id for row in written(application)] == [f"request-{number}" for number in range(10)]
    assert len(written(application, ERROR)) == 1
    assert written(application)[0].ms == pytest.approx(1.23)


def held(settings):
    """A transaction that lets nobody else write to the log."""
    control = ControlDatabase(settings.database_url)
    connection = control.engine.connect()
    connection.begin()
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE request_log IN ACCESS EXCLUSIVE MODE"))
    return control, connection


def test_a_blocked_log_delays_nobody_and_loses_nothing(application, settings, book, monkeypatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 1)
    control, blocker = held(settings)
    try:
        for number in range(1000):
            book.put(line(number))
        # Had a single one waited for the log, this line would never be reached: the lock is still held.
        assert not book.flush()
        assert book.waiting == 1000
        book.put(line(1000))
    finally:
        blocker.close()
        control.dispose()
    assert book.flush()
    assert [row.request_id for row in written(application)] == [f"request-{number}" for number in range(1001)]


def test_a_stuck_writer_delays_nobody(application, settings, book, monkeypatch):
    stuck, go_on = threading.Event(), threading.Event()

    def store(_batch):
        stuck.set()
        go_on.wait()

    monkeypatch.setattr(book, "_store", store)
    book.put(on_stderr(error_entry("/somewhere", "ValueError", [])))
    stuck.wait()
    # The writer holds its lock now, and goes on only when all these have been taken.
    threads = [threading.Thread(target=book.put, args=(line(number),)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.waiting == 20
    go_on.set()


def test_what_does_not_fit_is_dropped_and_counted(application, settings):
    book = Logbook(settings.database_url, of_dropped, most=3)
    control, blocker = held(settings)
    try:
        for number in range(5):
            book.put(line(number))
    finally:
        blocker.close()
        control.dispose()
    until(lambda: book.flush() and written(application, ERROR), 10, "the count is written")
    assert [row.request_id for row in written(application)] == ["request-0", "request-1", "request-2"]
    (dropped,) = written(application, ERROR)
    assert (dropped.error, dropped.frames) == ("LinesDropped", "2")
    book.close()


def test_the_count_of_the_dropped_outlives_a_database_that_is_away(application, settings, monkeypatch):
    monkeypatch.setattr(module, "LOCK_SECONDS", 1)
    book = Logbook(settings.database_url, of_dropped, most=1)
    control, blocker = held(settings)
    try:
        book.put(line())
        book.put(line())
        assert not book.flush()
    finally:
        blocker.close()
        control.dispose()
    assert book.flush()
    assert [row.frames for row in written(application, ERROR)] == ["1"]
    book.close()


def test_a_line_that_the_database_refuses_does_not_block_the_next(application, book):
    book.put(LogEntry(REQUEST, {"id": 1}))
    assert book.flush()
    book.put(line())
    assert book.flush()
    assert len(written(application)) == 1
    assert [row.frames for row in written(application, ERROR)] == ["1"]


def test_a_database_that_does_not_exist_breaks_nothing(tmp_path):
    book = Logbook(f"sqlite:///{tmp_path}/nowhere/none.db", of_dropped)
    book.put(line())
    assert not book.flush()
    book.close()
    # Its thread, woken to end, may have the entry in its hands for a moment.
    until(lambda: book.waiting == 1, 10, "the entry is still there")


def test_words_are_told_once_also_when_the_database_is_away(tmp_path, caplog):
    book = Logbook(f"sqlite:///{tmp_path}/nowhere/none.db", of_dropped)
    book.put(on_stderr(error_entry("/somewhere", "ValueError", ["a:b:1", "c:d:2"], request_id="r" * 8)))
    book.flush()
    book.close()
    assert caplog.messages == ["/somewhere: ValueError at c:d:2 < a:b:1 request_id=rrrrrrrr"]


def test_closing_writes_what_is_left(application, settings):
    book = Logbook(settings.database_url, of_dropped)
    book.put(line())
    book.close()
    assert count(application) == 1


FORKING = """
import os, sys
from pigi.store import log_entries
from pigi.store.log_entries import error_entry

book = log_entries.open_logbook(sys.argv[1], "worker")
log_entries.put(error_entry("parent", "E", []))
assert book.flush()
child = os.fork()
log_entries.put(error_entry("parent again" if child else "child", "E", []))
book.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
os._exit(0)
"""


def test_a_forked_child_writes_for_itself(application, settings):
    done = subprocess.run([sys.executable, "-c", FORKING, settings.database_url], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0
    assert sorted(row.place for row in written(application, ERROR)) == ["child", "parent", "parent again"]
