"""Counts of connections: of a whole process, in the database, and for everybody to read."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from sqlalchemy import select

from pigi.clock import now
from pigi.operations.recipients import list_recipients, refused_since
from pigi.store.egress import EGRESS
from pigi.store.ledgers import ErrorLog
from tests.support.environments import environment_of

PROCESS = """
import socket, threading
import web.wsgi
web.wsgi.app
with socket.create_server(("127.0.0.1", 0)) as other:
    for _ in range(3):
        try:
            socket.create_connection(other.getsockname())
        except OSError as error:
            print(error.code)
for _ in range(2):
    try:
        socket.create_connection(("127.0.0.1", 8000), timeout=1).close()
    except ConnectionRefusedError:
        pass
"""


@pytest.fixture
def counted(application):
    """The process ends by itself, and what it counted is then in the database."""
    environment = {**os.environ, **environment_of(application.settings)}
    done = subprocess.run(
        [sys.executable, "-c", PROCESS], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["egress_refused"] * 3, done.stderr
    return done


def test_a_process_that_connects_elsewhere_is_refused_and_reported(application, counted, client):
    with application.control.autocommit() as connection:
        rows = connection.execute(select(EGRESS.c.recipient, EGRESS.c.outcome, EGRESS.c.connections)).all()
        errors = connection.execute(select(ErrorLog.error)).scalars().all()
    assert {tuple(row) for row in rows} == {("elsewhere", "refused", 3), ("pigi", "begun", 2)}
    assert "EgressRefused" in errors
    assert "127.0.0.1" not in counted.stderr
    assert refused_since(application, now().replace(year=2000)) == 3
    listed = {line.name: line.connections for line in list_recipients(application)}
    assert (listed["pigi"], listed["stripe"], listed["bunny fonts"]) == (2, 0, None)
    shown = client.get("/api/v1/recipients").get_json()["recipients"]
    assert {one["name"]: one["connections"] for one in shown} == listed
    page = client.get("/privacy/recipients").get_data(as_text=True)
    assert all(one["gets"] in page.replace("&#39;", "'") for one in shown)
