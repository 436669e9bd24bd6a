"""Violations of the controls of what Pigi holds."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import delete, insert

from pigi.clock import now
from pigi.store.ledgers import RequestLog
from pigi.store.people import Account

COLUMN = Account.__table__.c.name


@contextmanager
def a_bare_column(_world):
    facts = COLUMN.info.pop("facts")
    try:
        yield
    finally:
        COLUMN.info["facts"] = facts


@contextmanager
def an_old_line(world):
    line = {
        "at": now() - timedelta(days=20),
        "request_id": "old",
        "method": "GET",
        "route": "/",
        "status": 200,
        "ms": 1,
    }
    with world.application.control.autocommit() as connection:
        connection.execute(insert(RequestLog).values({**line, "at": now() - timedelta(days=20)}))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(delete(RequestLog).where(RequestLog.request_id == "old"))


PLANTED = {"columns-say-what-for": a_bare_column, "logs-within-their-period": an_old_line}
