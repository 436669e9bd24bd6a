"""The server for tests: it survives a crash, and nothing of it survives its parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from devtools import postgres
from devtools.postgres import EXTERNAL, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(EXTERNAL in os.environ, reason="a server was given, and it is not ours to kill")

LONE_PARENT = """
import os, sys, threading
from devtools.postgres import PostgresServer
server = PostgresServer(durable=False)
thread = threading.Thread(target=server.start)
thread.start()
thread.join()
print(server.url(), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


def test_what_was_committed_survives_a_crash_and_a_restart(server: PostgresServer) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url())
    server.start()
    server.restart()
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]


def test_nothing_is_left_after_the_end() -> None:
    with PostgresServer() as server:
        folder = _folder(server)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert _processes(folder)
    assert not folder.exists()
    assert not _processes(folder)


def test_nothing_is_left_when_the_parent_is_killed() -> None:
    root = Path(postgres.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", LONE_PARENT], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    folder = Path(done.stdout.strip().partition("?host=")[2].replace("%2F", "/"))
    until = time.monotonic() + 20
    while (folder.exists() or _processes(folder)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not folder.exists()
    assert not _processes(folder)


def _folder(server: PostgresServer) -> Path:
    return Path(server.url().partition("?host=")[2].replace("%2F", "/"))


def _processes(folder: Path) -> list[int]:
    return [process.pid for process in psutil.process_iter() if str(folder) in " ".join(_command(process))]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []
