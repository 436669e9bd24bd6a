"""The timetable: everything that Pigi does unasked, on one page. UTC only."""

from __future__ import annotations

from datetime import timedelta

from pigi.jobs.kinds import (
    ANCHOR_AUDIT,
    FOLD_USAGE,
    MAKE_BACKUP,
    PROBES,
    RECONCILE_BILLING,
    SWEEP_GENERATIONS,
    SWEEP_JOBS,
    SWEEP_ORGANISATIONS,
    WARN_OF_KEYS,
)
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
        ANCHOR_AUDIT,
        timedelta(days=1),
        CatchUp.LATEST,
        "daily: what was done to the chain since is what a forger could still hide",
        offset=timedelta(minutes=20),
    ),
    Schedule(
        FOLD_USAGE,
        timedelta(days=1),
        CatchUp.LATEST,
        "daily, once the day is over and its last lines are written, and well before they are swept",
        offset=timedelta(minutes=40),
    ),
    Schedule(
        SWEEP_GENERATIONS,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly, when few people generate: what a crash left between two databases is rare and sealed",
        offset=timedelta(hours=3, minutes=20),
    ),
    Schedule(
        MAKE_BACKUP,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly, when little is written: what is lost at worst is a day; without a key for backups it does nothing",
        offset=timedelta(hours=1, minutes=10),
    ),
    Schedule(
        RECONCILE_BILLING,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly: Stripe tells of an event for three days, so a longer silence of its webhooks is found only here",
        offset=timedelta(hours=2, minutes=10),
    ),
    Schedule(
        SWEEP_ORGANISATIONS,
        timedelta(hours=1),
        CatchUp.LATEST,
        "hourly: a deletion is final within a day after its grace period; what failed at Stripe is enqueued again",
        offset=timedelta(minutes=27),
    ),
    Schedule(
        WARN_OF_KEYS,
        timedelta(days=1),
        CatchUp.LATEST,
        "daily, since warnings count days; early, so that the day's warning comes before most hours of the day",
        offset=timedelta(hours=5, minutes=40),
    ),
)
