"""Deleting an organisation of a million rows, from its seal to its receipt, beside DELETE and VACUUM on a shared table.

The shared table holds as many rows of somebody else. Both delete the same rows, in one run, on the same disk.
"""

from __future__ import annotations

import argparse
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, MetaData, String, Table, delete, func, insert, select, update

import tasks.organisations  # noqa: F401 - registers the bodies
from benchmarks.support import ground
from pigi.clock import now
from pigi.domain.deletions import DeletionScope
from pigi.domain.retention import GRACE
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.context import WorkerContext
from pigi.jobs.execution.heartbeat import LeaseHeartbeat
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import PURGE_ORGANISATION
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.deletion import ORGANISATION_PLAN, open_deletion
from pigi.operations.organisations import create_organisation
from pigi.store.control import Organisation
from pigi.store.deletions import Receipt
from pigi.store.engines import make_engine
from pigi.store.tenant import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.support import Ground

PROJECT: Any = Project.__table__
CHUNK = 10_000
TEXT = 120
"""Bytes of a row's text."""


def rows(count: int, **more: str) -> Iterator[list[dict[str, Any]]]:
    """Projects, a chunk at a time."""
    moment, text, first = now(), os.urandom(TEXT), os.urandom(4).hex()
    common: dict[str, Any] = {"name": text[:40], "description": text, "state": "active", "revision": 1, **more}
    common |= {"created_at": moment, "updated_at": moment, "created_by": "bench"}
    for start in range(0, count, CHUNK):
        numbers = range(start, min(count, start + CHUNK))
        yield [{"id": f"{first}{number:028}", "name_key": f"{first}{number:056}", **common} for number in numbers]


def delete_whole(base: Ground, count: int) -> float:
    """Seconds that Pigi takes from the seal to the receipt."""
    application = base.application
    organisation_id = create_organisation(application, "bench")
    for chunk in rows(count):
        with application.tenants.session(organisation_id) as session:
            session.connection().execute(insert(PROJECT), chunk)
    ago = now() - GRACE - timedelta(minutes=1)
    steps = [step.name for step in ORGANISATION_PLAN.steps]
    with application.control.begin() as session:
        closed = {"state": "deleting", "deletion_at": ago}
        session.execute(update(Organisation).where(Organisation.id == organisation_id).values(closed))
        deletion_id = open_deletion(
            session.connection(), DeletionScope.ORGANISATION, organisation_id, "bench", steps, requested_at=ago
        )
        job = enqueue(
            session, None, PURGE_ORGANISATION, organisation_id=None, requested_by="bench", subject_id=deletion_id
        )
    heartbeat = LeaseHeartbeat(application.control, lambda: False, application.notifier)
    context: Any = WorkerContext(application, None, heartbeat, lambda: False)  # type: ignore[arg-type] - nobody is charged
    began = time.perf_counter()
    run(HANDLERS[PURGE_ORGANISATION.name], job.id, context)
    took = time.perf_counter() - began
    with application.control.read() as session:
        assert session.scalar(select(func.count()).select_from(Receipt)), "there is no receipt"
    return took


def delete_rows(base: Ground, count: int) -> float:
    """Seconds that DELETE and VACUUM take for the same rows in a table that two organisations share."""
    engine = make_engine(base.plain_database())
    shared = Table(
        "shared_project",
        MetaData(),
        *(Column(one.name, one.type, primary_key=one.primary_key) for one in PROJECT.columns),
        Column("organisation_id", String(36), index=True),
    )
    mine, other = new_id(), new_id()
    with engine.begin() as connection:
        shared.create(connection)
    for owner in (mine, other):
        for chunk in rows(count, organisation_id=owner):
            with engine.begin() as connection:
                connection.execute(insert(shared), chunk)
    began = time.perf_counter()
    with engine.begin() as connection:
        connection.execute(delete(shared).where(shared.c.organisation_id == mine))
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM" if connection.dialect.name == "sqlite" else "VACUUM shared_project")
    took = time.perf_counter() - began
    engine.dispose()
    return took


def measure(engine: str, count: int) -> None:
    """One engine."""
    with ground(engine) as base:
        whole, single = delete_whole(base, count), delete_rows(base, count)
    print(f"{engine}: an organisation of {count:,} rows: Pigi {whole:.2f} s, DELETE and VACUUM {single:.2f} s")
    print(f"{engine}: share {whole / single:.3f} (at most 0.25)", flush=True)


def main() -> None:
    """Both engines in turn."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--engines", default="sqlite,postgresql")
    chosen = options.parse_args()
    for engine in chosen.engines.split(","):
        measure(engine, chosen.rows)


if __name__ == "__main__":
    main()
