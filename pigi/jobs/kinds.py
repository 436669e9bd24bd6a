"""The catalogue: every kind of job there is. The asker imports a `Kind`; the worker, the function.

A wire name is written once, by hand, and never changes: rows of an older version must find their worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from pigi.domain.access import Action
from pigi.domain.job_state import backoff
from pigi.domain.mail import EFFECTS, wait_before_try
from pigi.domain.retention import Retention, keep
from pigi.jobs.queues import QUEUES

if TYPE_CHECKING:
    from collections.abc import Callable


class Single(StrEnum):
    """How an effect is kept from happening twice."""

    EXACTLY = "exactly once"
    """Deduplicated where it lands: an idempotency key, a fenced row, a deterministic file."""
    AT_LEAST = "at least once"
    """May repeat after a crash between the act and its record; the page says how often it was begun."""
    AT_MOST = "at most once"
    """Never repeats; after such a crash it is shown as unknown."""


JOB_KEPT = keep(Retention.JOB)


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes:
        name: ``noun.verb``, permanent.
        queue: one of `QUEUES`.
        attempts: temporary failures allowed before the job fails.
        time_limit: how long one attempt may run.
        wait: how long to wait before the next try, by the failures so far.
        patience: how long after its first start a job may still be retried; bounds a provider's Retry-After.
        effects: what it does to the world: key (up to the first colon) to how it is kept single.
        changing: what members and keys must be allowed to do, so that they may cancel and retry it.
        retry_needs: a field that a retry by hand must bring, since Pigi no longer holds it.
        closes: whether ending leaves something to put away (`tasks.runtime.closing`).
        row_kept: how long its row lives after the end; only no-ops may go earlier than the rest.
        tombstone: whether burial leaves one.
        share: whose share of the queue it takes when nobody's organisation asked (`pigi.jobs.lanes`).

    Raises ValueError at declaration for an unknown queue or unusable limits.
    """

    name: str
    queue: str
    attempts: int = 5
    time_limit: timedelta = timedelta(minutes=5)
    wait: Callable[[int], timedelta] = backoff
    patience: timedelta = timedelta(minutes=15)
    effects: dict[str, Single] = field(default_factory=dict)
    changing: Action = Action.ORGANISATION_CHANGE
    retry_needs: str | None = None
    closes: bool = False
    row_kept: timedelta = JOB_KEPT
    tombstone: bool = True
    share: str = "pigi"

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            message = f"{self.name}: unknown queue {self.queue}"
            raise ValueError(message)
        if self.attempts < 1 or self.time_limit <= timedelta(0) or self.patience < self.time_limit:
            message = f"{self.name}: attempts, time limit and patience do not fit together"
            raise ValueError(message)


UNHURRIED = partial(backoff, longest=timedelta(minutes=30))
"""The waits of a kind that nobody waits for, and that must outlast an outage of hours."""

DELIVERIES = 5
"""How often workers may die over one job before it ends as ``worker_lost``."""

CATALOGUE: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Add a kind; raises ValueError if the name is taken."""
    if kind.name in CATALOGUE:
        message = f"two kinds are called {kind.name}"
        raise ValueError(message)
    CATALOGUE[kind.name] = kind
    return kind


GENERATE_DRAFT = register(
    Kind(
        "generations.draft",
        queue="ai",
        attempts=5,
        # Two turns at the gateway's overall limit of four minutes, and some.
        time_limit=timedelta(minutes=9),
        patience=timedelta(minutes=15),
        effects={"model": Single.AT_LEAST, "draft": Single.EXACTLY},
        changing=Action.JOBS_CHANGE,
        retry_needs="purpose",
        closes=True,
    )
)
SWEEP_GENERATIONS = register(Kind("generations.sweep", queue="upkeep", time_limit=timedelta(minutes=10)))
SWEEP_JOBS = register(Kind("jobs.sweep", queue="upkeep", time_limit=timedelta(minutes=10)))
ANCHOR_AUDIT = register(Kind("audit.anchor", queue="upkeep", time_limit=timedelta(minutes=10)))
FOLD_USAGE = register(Kind("usage.fold", queue="upkeep", time_limit=timedelta(minutes=10)))
MIGRATE_ORGANISATION = register(Kind("organisations.migrate", queue="upkeep", effects={"schema": Single.EXACTLY}))
WARN_OF_KEYS = register(Kind("api_keys.warn", queue="control"))
SEND_MAIL = register(
    Kind(
        "mail.send",
        queue="mail",
        # By its waits about five hours: longer than most servers greylist or are down.
        attempts=18,
        wait=wait_before_try,
        # Above the gateway's overall limit of four minutes.
        time_limit=timedelta(minutes=5),
        patience=timedelta(hours=6),
        effects={effect: Single(promise.value) for promise, effect in EFFECTS.items()},
        closes=True,
    )
)
OPEN_CHECKOUT = register(
    Kind(
        "billing.checkout",
        queue="billing",
        # Several calls at the gateway's limit of 30 s each; somebody waits for it, so not for long.
        time_limit=timedelta(minutes=4),
        changing=Action.BILLING_CHANGE,
        effects=dict.fromkeys(("customer", "contact", "subscription", "invoice", "checkout"), Single.EXACTLY),
    )
)
OPEN_PORTAL = register(
    Kind(
        "billing.portal",
        queue="billing",
        time_limit=timedelta(minutes=4),
        changing=Action.BILLING_CHANGE,
        effects={"portal": Single.EXACTLY},
    )
)
SYNC_BILLING = register(
    Kind(
        "billing.sync",
        queue="billing",
        # By its waits for hours, as long as a provider is away at worst; later, reconciliation finds it.
        attempts=24,
        wait=UNHURRIED,
        patience=timedelta(hours=6),
        changing=Action.BILLING_CHANGE,
    )
)
FOLLOW_CONTACT = register(
    Kind(
        "billing.contact",
        queue="billing",
        attempts=24,
        wait=UNHURRIED,
        patience=timedelta(hours=6),
        changing=Action.BILLING_CHANGE,
        effects={"contact": Single.EXACTLY},
    )
)
RECONCILE_BILLING = register(
    Kind("billing.reconcile", queue="upkeep", time_limit=timedelta(hours=1), patience=timedelta(hours=6))
)
CLOSE_ORGANISATION = register(
    Kind(
        "organisations.close",
        queue="billing",
        attempts=24,
        wait=UNHURRIED,
        patience=timedelta(hours=6),
        effects={"subscription": Single.EXACTLY, "invoice": Single.EXACTLY},
    )
)
PURGE_ORGANISATION = register(
    Kind(
        "organisations.purge",
        queue="upkeep",
        time_limit=timedelta(hours=1),
        patience=timedelta(hours=6),
        effects={"subscription": Single.EXACTLY, "invoice": Single.EXACTLY, "customer": Single.EXACTLY},
        # Pigi's other upkeep is never behind many that are due at once.
        share="deletions",
    )
)
SWEEP_ORGANISATIONS = register(Kind("organisations.sweep", queue="upkeep", time_limit=timedelta(minutes=10)))
PROBES: dict[str, Kind] = {
    name: register(
        Kind(
            f"{name}.probe",
            queue=name,
            attempts=1,
            time_limit=timedelta(seconds=30),
            row_kept=timedelta(hours=1),
            tombstone=False,
            # Not behind Pigi's own long sweeps, or a busy queue would look dead.
            share="probe",
        )
    )
    for name in QUEUES
}
"""One no-op a queue: that it finished shows that the queue's consumer works."""
