"""Jobs a second through the whole engine (row, publish, claim, finish) beside bare Celery with its defaults.

Both drain what was queued before, with prefork and two children. Pigi's jobs are spread over 50
organisations, since a partition holds only a few at a time; beat runs beside it, as it always does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from celery import Celery
from sqlalchemy import func, select

from benchmarks.support import Ground, ground, summary, wait_until
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue


def bare(base: Ground, jobs: int) -> float:
    """Bare Celery's drain, jobs a second."""
    address = base.environment["REDIS_URL"].replace("unix://", "redis+socket://", 1)
    with Celery("asker", broker=address, set_as_current=False) as asker:
        for number in range(jobs):
            asker.send_task("bare.noop", [str(number)], queue="bare", ignore_result=True)
    with base.celery("benchmarks.bare", "bare", 2, name="bare"):
        wait_until(lambda: base.redis.llen("bare") < jobs)
        began = time.perf_counter()
        wait_until(lambda: base.redis.llen("bare") == 0 and base.redis.hlen("unacked") == 0)
        return jobs / (time.perf_counter() - began)


def engine(base: Ground, jobs: int) -> float:
    """The engine's drain, jobs a second, by the rows' own times."""
    from benchmarks.kinds import NOOP

    control = base.application.control
    tenants = [base.organisation() for _ in range(50)]
    with control.begin() as session:
        for number in range(jobs):
            enqueue(
                session, base.application.notifier, NOOP, organisation_id=tenants[number % 50], requested_by="bench"
            )
    mine = JOB.c.kind == NOOP.name

    def left() -> int:
        with control.autocommit() as connection:
            return connection.execute(select(func.count()).where(mine, JOB.c.finished_at.is_(None))).scalar_one()

    with (
        base.celery("benchmarks.engine", "control", 2, name="engine"),
        base.process(sys.executable, "-m", "celery", "-A", "benchmarks.beat", "beat", log="beat"),
    ):
        wait_until(lambda: left() == 0, 60)
    with control.transaction() as connection:
        first, last = connection.execute(
            select(func.min(JOB.c.started_at), func.max(JOB.c.finished_at)).where(mine)
        ).one()
        connection.execute(JOB.delete().where(mine))
    return jobs / (last - first).total_seconds()


def main() -> None:
    """Rounds in turn, since the machine's speed drifts."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--jobs", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--engines", default="sqlite,postgresql")
    chosen = options.parse_args()
    for name in chosen.engines.split(","):
        with ground(name) as base:
            pairs = [(bare(base, chosen.jobs), engine(base, chosen.jobs)) for _ in range(chosen.rounds)]
        ratios = [ours / theirs for theirs, ours in pairs]
        theirs, ours = (summary([pair[place] for pair in pairs]) for place in (0, 1))
        print(f"{name}: bare Celery {theirs}/s, Pigi {ours}/s, ratio {statistics.median(ratios):.2f}", flush=True)


if __name__ == "__main__":
    main()
