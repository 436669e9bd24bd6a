"""Beat told to stop at the worst moment: while SQLite calls back, where an exception does not get out."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal
from pigi.store import engines, instants

told = []

def told_while_called_back(seconds):
    if not told:
        told.append(True)
        os.kill(os.getpid(), signal.SIGTERM)
    return instants.sqlite_now(seconds)

engines.sqlite_now = told_while_called_back
from schedules.app import app
app.Beat(quiet=True).run()
"""


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_beat_stops_when_told_while_the_database_calls_back(settings, control):
    environment = {
        **os.environ,
        "PIGI_HOME": str(settings.home),
        "DATABASE_URL": settings.database_url,
        "TENANT_DATABASE_URL": settings.tenant_database_url,
        "REDIS_URL": settings.redis_url,
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, timeout=60, capture_output=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
