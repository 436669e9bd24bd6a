"""The timetable: everything that Pigi does unasked, on one page. UTC only."""

from __future__ import annotations

from datetime import timedelta

from pigi.jobs.kinds import PROBES, SWEEP_GENERATIONS, SWEEP_JOBS
from pigi.jobs.schedules import CatchUp, Schedule

TIMETABLE: tuple[Schedule, ...] = (
    *(
        Schedule(probe, timedelta(seconds=30), CatchUp.SKIP, "readiness: a queue works if it finished something lately")
        for probe in PROBES.values()
    ),
    Schedule(
        SWEEP_JOBS,
        timedelta(hours=1),
        CatchUp.LATEST,
        "hourly keeps each sweep short; the shortest period it serves is an hour",
        offset=timedelta(minutes=7),
    ),
    Schedule(
        SWEEP_GENERATIONS,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly, when few people generate: what a crash left between two databases is rare and sealed",
        offset=timedelta(hours=3, minutes=20),
    ),
)
