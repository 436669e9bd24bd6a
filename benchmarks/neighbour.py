"""The noisy neighbour: one organisation queues 10,000 jobs; how long does another's job wait to start?

Quiet and noisy are measured in one run, with the same pool, by the rows' own times.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from sqlalchemy import select

from benchmarks.kinds import NOOP
from benchmarks.support import Ground, ground, percentile, wait_until
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue


def starts(base: Ground, organisation: str, count: int) -> list[float]:
    """Milliseconds from row to start of jobs requested one at a time, 30 ms apart."""
    control = base.application.control
    jobs = []
    for _ in range(count):
        with control.begin() as session:
            jobs.append(
                enqueue(session, base.application.notifier, NOOP, organisation_id=organisation, requested_by="bench").id
            )
        time.sleep(0.03)
    mine = select(JOB.c.created_at, JOB.c.started_at).where(JOB.c.id.in_(jobs))

    def rows() -> list[tuple[object, object]]:
        with control.autocommit() as connection:
            return [tuple(row) for row in connection.execute(mine)]  # type: ignore[misc]

    wait_until(lambda: all(row[1] is not None for row in rows()))
    return [(row[1] - row[0]).total_seconds() * 1000 for row in rows()]  # type: ignore[operator, attr-defined]


def measure(engine: str, noise: int) -> None:
    """One engine."""
    with ground(engine) as base:
        noisy, quiet = base.organisation(), base.organisation()
        beat = (sys.executable, "-m", "celery", "-A", "benchmarks.beat", "beat")
        with base.celery("benchmarks.engine", "control", 4, name="engine"), base.process(*beat, log="beat"):
            starts(base, quiet, 20)
            before = starts(base, quiet, 100)
            with base.application.control.begin() as session:
                for _ in range(noise):
                    enqueue(session, base.application.notifier, NOOP, organisation_id=noisy, requested_by="bench")
            during = starts(base, quiet, 60)
            with base.application.control.autocommit() as connection:
                left = len(
                    connection.execute(
                        select(JOB.c.id).where(JOB.c.organisation_id == noisy, JOB.c.finished_at.is_(None))
                    ).all()
                )
    for name, found in (("quiet", before), (f"beside {noise:,} jobs", during)):
        figures = f"p50 {statistics.median(found):.1f} p99 {percentile(found, 0.99):.1f}"
        print(f"{engine}: another's start, ms: {name}: {figures}")
    ratio = statistics.median(during) / statistics.median(before)
    print(f"{engine}: ratio of the medians {ratio:.2f}, with {left:,} of the others still waiting", flush=True)


def main() -> None:
    """Both engines in turn."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--noise", type=int, default=10_000)
    options.add_argument("--engines", default="sqlite,postgresql")
    chosen = options.parse_args()
    for engine in chosen.engines.split(","):
        measure(engine, chosen.noise)


if __name__ == "__main__":
    main()
