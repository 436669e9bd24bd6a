"""From request to 202: Pigi's POST of a generation beside a hand-written view and the usual one, same server.

Pigi's request authenticates, writes a sealed row to the organisation's database and the job's row to the
control database, two commits; the hand-written view has one insert and no caller. The last figures are for
the whole way: from the job's row to its start on an idle system.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import statistics
import sys
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.support import Ground, free_port, ground, percentile, wait_until
from pigi.operations.api_keys import issue_key
from pigi.operations.jobs import read_job
from pigi.operations.organisations import create_organisation
from standins.anthropic.server import AnthropicStandIn
from web.http.budget import THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = json.dumps(
    {"resource": "agent", "name": "code-reviewer", "purpose": "Review pull requests for missing tests. " * 5}
)


@contextlib.contextmanager
def server(base: Ground, target: str, threads: int) -> Iterator[int]:
    """The server with two processes, as `pigi web` runs it."""
    port = free_port()
    command = (sys.executable, "-m", "web.server", target, "--port", str(port), "--threads", str(threads))
    with base.process(*command, log=target.split(".", maxsplit=1)[0]):
        wait_until(lambda: answers(port))
        yield port


def answers(port: int) -> bool:
    """Whether a server listens."""
    try:
        http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
    except OSError:
        return False
    return True


def post(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> str:
    """One request; the job's id."""
    connection.request("POST", path, BODY, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    assert response.status == 202, answer
    return str(answer["id"])


def latencies(port: int, path: str, headers: dict[str, str], count: int) -> list[float]:
    """Milliseconds of each of ``count`` requests, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    for _ in range(count):
        began = time.perf_counter()
        post(connection, path, headers)
        found.append((time.perf_counter() - began) * 1000)
    return found


def rate(port: int, path: str, headers: dict[str, str], count: int) -> float:
    """Requests a second over four connections."""
    workers = [threading.Thread(target=latencies, args=(port, path, headers, count // 4)) for _ in range(4)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return count / (time.perf_counter() - began)


def starts(base: Ground, organisation: str, port: int, path: str, headers: dict[str, str], count: int) -> list[float]:
    """Milliseconds from a job's row to its start, with nothing else to do."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    for _ in range(count):
        job_id = post(connection, path, headers)
        wait_until(lambda: read_job(base.application, job_id, organisation).ended)  # noqa: B023 - used at once
        job = read_job(base.application, job_id, organisation)
        assert job.started_at
        found.append((job.started_at - job.created_at).total_seconds() * 1000)
    return found


def report(engine: str, what: str, found: dict[str, float], beside: str) -> None:
    """One line with each figure and the ratio that counts."""
    figures = ", ".join(f"{name} {figure:,.2f}" for name, figure in found.items())
    print(f"{engine}: {what}: {figures}; pigi/{beside} {found['pigi'] / found[beside]:.2f}", flush=True)


def measure(engine: str, count: int) -> None:
    """One engine."""
    with AnthropicStandIn("127.0.0.1", 0, 0.0) as model, ground(engine, ANTHROPIC_BASE_URL=model.url) as base:
        base.environment["PLAIN_DATABASE_URL"] = base.plain_database()
        organisation = create_organisation(base.application, "Bench")
        headers = {
            "Authorization": f"Bearer {issue_key(base.application, organisation, 'bench')}",
            "Content-Type": "application/json",
        }
        path = f"/api/v1/organisations/{organisation}/generations"
        with server(base, "web.wsgi:app", THREADS) as ours, server(base, "benchmarks.views:app", 4) as theirs:
            cases = {"plain": (theirs, "/plain"), "usual": (theirs, "/usual"), "pigi": (ours, path)}
            for port, where in cases.values():
                latencies(port, where, headers, 30)
            rounds = [
                {name: latencies(port, where, headers, count) for name, (port, where) in cases.items()}
                for _ in range(3)
            ]
            rates = [
                {name: rate(port, where, headers, count) for name, (port, where) in cases.items()} for _ in range(3)
            ]
        middle = {name: statistics.median(statistics.median(one[name]) for one in rounds) for name in cases}
        fastest = {name: statistics.median(one[name] for one in rates) for name in cases}
        report(engine, "202 p50, ms", middle, "plain")
        report(engine, "requests a second", fastest, "usual")
    with (
        AnthropicStandIn("127.0.0.1", 0, 0.0) as model,
        ground(engine, ANTHROPIC_BASE_URL=model.url, PIGI_POOL="ai") as base,
    ):
        organisation = create_organisation(base.application, "Bench")
        headers = {
            "Authorization": f"Bearer {issue_key(base.application, organisation, 'bench')}",
            "Content-Type": "application/json",
        }
        path = f"/api/v1/organisations/{organisation}/generations"
        with (
            server(base, "web.wsgi:app", THREADS) as ours,
            base.celery("worker.app", "ai", 4, name="ai"),
            base.process(sys.executable, "-m", "celery", "-A", "schedules.app", "beat", log="beat"),
        ):
            starts(base, organisation, ours, path, headers, 10)
            found = starts(base, organisation, ours, path, headers, 200)
        print(
            f"{engine}: row to start, idle, ms: p50 {statistics.median(found):.1f}, p99 {percentile(found, 0.99):.1f}",
            flush=True,
        )


def main() -> None:
    """Both engines in turn."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=400)
    options.add_argument("--engines", default="sqlite,postgresql")
    chosen = options.parse_args()
    for engine in chosen.engines.split(","):
        measure(engine, chosen.count)


if __name__ == "__main__":
    main()
