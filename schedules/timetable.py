"""The timetable: everything that Pigi does unasked, on one page. UTC only."""

from __future__ import annotations

from datetime import timedelta

from pigi.domain.controls import EVERY
from pigi.domain.retention import Retention
from pigi.jobs.kinds import (
    ANCHOR_AUDIT,
    ANNOUNCE_POLICY,
    BEGIN_ROUND,
    CHECKS,
    FOLD_USAGE,
    MAKE_BACKUP,
    PROBES,
    RECONCILE_BILLING,
    ROTATE_DUE_KEYS,
    ROTATE_KEYRING,
    SWEEP_GENERATIONS,
    SWEEP_IMPORTS,
    SWEEP_ORGANISATIONS,
    SWEEPS,
    WARN_OF_KEYS,
    WATCH_PROMISES,
)
from pigi.jobs.schedules import CatchUp, Schedule

RETENTION: tuple[tuple[Retention, int, str], ...] = (
    (Retention.EGRESS, 2, "hourly, as the rest: a look costs nothing"),
    (Retention.TOKEN, 1, "hourly: links are kept for an hour, and nothing is to be kept for twice as long"),
    (Retention.NOTICE, 4, "hourly: few at a time let others write"),
    (Retention.ADDRESS_UNDO, 6, "hourly: an address that was left is kept no longer than was said"),
    (Retention.SESSION, 3, "hourly: half a day must not become a whole one"),
    (Retention.REGISTRATION, 5, "hourly: a day must stay a day"),
    (Retention.JOB, 7, "hourly: probes are kept for an hour, and short sweeps let others write"),
    (Retention.TOMBSTONE, 9, "hourly: few at a time let others write"),
    (Retention.IDEMPOTENCY, 11, "hourly: a day must stay a day"),
    (Retention.THROTTLE, 13, "hourly: a day must stay a day"),
    (Retention.FAILED_SIGN_IN, 14, "hourly: owners and operators are to read of a day soon after it"),
    (Retention.COUNTER, 15, "hourly: soon after the day that is over"),
    (Retention.INVITATION, 17, "hourly: an address that was invited is kept no longer than was said"),
    (Retention.ACCESS_KEY, 19, "hourly: few at a time"),
    (Retention.MAIL, 21, "hourly: few at a time let others write"),
    (Retention.BILLING_EVENT, 23, "hourly: few at a time let others write"),
    (Retention.BILLING_LINK, 25, "hourly: a day must stay a day"),
    (Retention.BILLING_RUN, 28, "hourly, as the rest: a look costs nothing"),
    (Retention.BILLING_LOG, 30, "hourly: on 1 January, and well after midnight by any clock that is nearly right"),
    (Retention.USAGE, 32, "hourly: two days, in which signals are counted, must not become three"),
    (Retention.ERROR_LOG, 34, "hourly: few at a time let others write"),
    (Retention.REQUEST_LOG, 36, "hourly: many lines a day, few at a time let others write"),
    (Retention.AUDIT, 38, "hourly: each pruning signs a new beginning, so it is short"),
    (Retention.EXPORT_RECORD, 42, "hourly: few at a time"),
    (Retention.DELETION, 44, "hourly: few at a time"),
    (Retention.RECEIPT, 46, "hourly: few at a time"),
    (Retention.HOLD, 48, "hourly, as the rest: a look costs nothing"),
    (Retention.BACKUP, 50, "hourly: what was deleted must leave backups on the day that was said"),
    (Retention.ERASURE, 52, "hourly, as the rest; after the backups that it protects against"),
    (Retention.PRIVACY_REQUEST, 54, "hourly: few at a time"),
    (Retention.TICKET, 56, "hourly: few at a time"),
    (Retention.EVIDENCE, 58, "hourly: few at a time"),
)
"""When each class is swept: minutes apart, so that no two sweeps write at once."""

TIMETABLE: tuple[Schedule, ...] = (
    *(
        Schedule(probe, timedelta(seconds=30), CatchUp.SKIP, "readiness: a queue works if it finished something lately")
        for probe in PROBES.values()
    ),
    *(
        Schedule(check, EVERY, CatchUp.SKIP, "a fault, its mending and silence all show within a quarter of an hour")
        for check in CHECKS.values()
    ),
    Schedule(
        BEGIN_ROUND,
        EVERY,
        CatchUp.SKIP,
        "between two checks: what a round begins has ended when the next check judges it",
        offset=EVERY / 2,
    ),
    Schedule(
        WATCH_PROMISES,
        EVERY,
        CatchUp.SKIP,
        "soon after the checks: operators should know of a line that turned red before others tell them",
        offset=timedelta(minutes=1),
    ),
    *(
        Schedule(SWEEPS[retention], timedelta(hours=1), CatchUp.LATEST, why, offset=timedelta(minutes=minute))
        for retention, minute, why in RETENTION
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
        SWEEP_IMPORTS,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly: an upload that a crash left behind is rare, and goes within a day",
        offset=timedelta(hours=3, minutes=50),
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
        ANNOUNCE_POLICY,
        timedelta(hours=1),
        CatchUp.LATEST,
        "hourly: who is to be told of a new policy is told, though the job that began it failed for good",
        offset=timedelta(minutes=6),
    ),
    Schedule(
        ROTATE_KEYRING,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly: where a new key was put first and nobody rotated, a day is enough; with one key it does nothing",
        offset=timedelta(hours=4, minutes=10),
    ),
    Schedule(
        ROTATE_DUE_KEYS,
        timedelta(days=1),
        CatchUp.LATEST,
        "nightly: data keys are renewed once a year, the oldest first, and what seals nothing for a day is destroyed",
        offset=timedelta(hours=4, minutes=30),
    ),
    Schedule(
        WARN_OF_KEYS,
        timedelta(days=1),
        CatchUp.LATEST,
        "daily, since warnings count days; early, so that the day's warning comes before most hours of the day",
        offset=timedelta(hours=5, minutes=40),
    ),
)
