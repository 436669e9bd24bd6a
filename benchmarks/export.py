"""A configuration export beside a hand-written loop that fetches, opens the seals and writes; and its memory.

Both write the same revisions of 4 KB to files. The job does more: it reads in pages that can be taken up again, records
each part of the file under its lease, and sums it up. It runs in a process of its own, whose largest memory is printed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sqlite3
import time
from typing import Any

import psycopg
from sqlalchemy import insert
from sqlalchemy.engine import make_url

from benchmarks.support import Ground, ground, settings_of, summary
from pigi.application import Application
from pigi.clock import now
from pigi.domain.access import Caller
from pigi.ids import new_id
from pigi.jobs.kinds import EXPORT_CONFIGURATION
from pigi.operations.exports import request_configuration
from pigi.store.control import Organisation
from pigi.store.tenant import Project, Resource, ResourceRevision

CONTENT = json.dumps({"title": "How we test", "body": "Write the test first. " * 185})
EACH = 10
"""Revisions of a resource."""
QUERY = (
    "SELECT r.id, v.number, v.content, v.author, v.origin, v.created_at FROM resource r"
    " JOIN resource_revision v ON v.resource_id = r.id ORDER BY r.project_id, r.kind, r.id, v.number"
)


def furnish(base: Ground, revisions: int) -> str:
    """An organisation with so many revisions, in projects of 500 resources each; its id."""
    application, where, moment = base.application, new_id(), now()
    revision = application.tenants.provision(where)
    with application.control.begin() as session:
        session.add(Organisation(id=where, name="bench", schema_revision=revision, created_at=moment))
        application.tenants.create_key(session, where)
    resources = [(new_id(), number) for number in range(revisions // EACH)]
    for begin in range(0, len(resources), 500):
        with application.tenants.session(where) as tenant:
            _fill(tenant, resources[begin : begin + 500], moment)
    return where


def _fill(tenant: Any, resources: list[tuple[str, int]], moment: Any) -> None:
    seal, project = tenant.sealer.seal, new_id()
    about = {"state": "active", "revision": 1, "created_at": moment, "updated_at": moment, "created_by": "account:x"}
    names = {name: seal("Shop", "project", name, project) for name in ("name", "description")}
    tenant.connection().execute(insert(Project), {"id": project, "name_key": project, **names, **about})
    rows = [
        {"id": one, "project_id": project, "kind": "document", "name": seal("How", "resource", "name", one)}
        | {"name_key": one, "revision": EACH, "state": "active", "created_at": moment, "updated_at": moment}
        for one, _ in resources
    ]
    tenant.connection().execute(insert(Resource), rows)
    sealed = [
        {"resource_id": one, "number": number, "author": f"account:{number}", "origin": "written", "created_at": moment}
        | {"content": seal(CONTENT, "resource_revision", "content", f"{one}/{number}")}
        for one, _ in resources
        for number in range(1, EACH + 1)
    ]
    tenant.connection().execute(insert(ResourceRevision), sealed)


def by_hand(base: Ground, where: str) -> float:
    """Revisions a second of the loop."""
    with base.application.tenants.read(where) as tenant:
        opened = tenant.sealer.open
    began, count = time.perf_counter(), 0
    with (base.home / "by-hand.json").open("w", encoding="utf-8") as file:
        for one, number, content, author, origin, at in _rows(base, where):
            text = opened(content, "resource_revision", "content", f"{one}/{number}")
            file.write(
                f'{{"number":{number},"content":{text},"author":"{author}","origin":"{origin}","created_at":"{at}"}},'
            )
            count += 1
    return count / (time.perf_counter() - began)


def _rows(base: Ground, where: str) -> Any:
    url = make_url(base.environment["TENANT_DATABASE_URL"].replace("{id}", where))
    if url.drivername.startswith("sqlite"):
        yield from sqlite3.connect(str(url.database)).execute(QUERY)
        return
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection, connection.cursor("export") as cursor:
        cursor.itersize = 1000
        yield from cursor.execute(QUERY)


def do(environment: dict[str, str], job_id: str, answers: Any) -> None:
    """Do the job, as a worker's child does; puts the seconds and the largest memory in MB."""
    import tasks.exports  # noqa: F401 - importing registers
    from pigi.jobs.execution.attempt import run
    from pigi.jobs.execution.context import WorkerContext
    from pigi.jobs.execution.heartbeat import LeaseHeartbeat
    from pigi.jobs.execution.runtime import HANDLERS

    application = Application.open(settings_of(environment))
    heartbeat = LeaseHeartbeat(application.control, lambda: False, application.notifier)
    hands: Any = WorkerContext(application, None, heartbeat, lambda: False)  # type: ignore[arg-type]
    began = time.perf_counter()
    run(HANDLERS[EXPORT_CONFIGURATION.name], job_id, hands)
    seconds = time.perf_counter() - began
    answers.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
    application.dispose()


def exported(base: Ground, where: str, revisions: int) -> tuple[float, float]:
    """Revisions a second of the job, and its process's largest memory in MB."""
    job = request_configuration(base.application, Caller(where, key_id=new_id()))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    child = context.Process(target=do, args=(base.environment, job.id, answers))
    child.start()
    seconds, megabytes = answers.get(timeout=600)
    child.join()
    return revisions / seconds, megabytes


def main() -> None:
    """Rounds in turn, since the machine's speed drifts."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--engines", default="sqlite,postgresql")
    reader.add_argument("--revisions", type=int, default=100_000)
    reader.add_argument("--rounds", type=int, default=3)
    options = reader.parse_args()
    for engine in options.engines.split(","):
        with ground(engine) as base:
            where = furnish(base, options.revisions)
            hand, job, memory = [], [], []
            for _ in range(options.rounds):
                hand.append(by_hand(base, where))
                rate, megabytes = exported(base, where, options.revisions)
                job.append(rate)
                memory.append(megabytes)
                base.application.files.remove(f"organisations/{where}")
            ratios = [ours / theirs for ours, theirs in zip(job, hand, strict=True)]
            print(
                f"{engine}: export {summary(job)} revisions/s, by hand {summary(hand)}, "
                f"ratio {sorted(ratios)[len(ratios) // 2]:.2f}; memory {max(memory):.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
