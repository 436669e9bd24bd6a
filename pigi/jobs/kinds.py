"""The catalogue: every kind of job there is. Whoever enqueues imports a `Kind`; the worker, the function.

A wire name is written once, by hand, and never changes: rows of an older version must find their worker.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from pigi.domain.access import Action
from pigi.domain.job_state import backoff
from pigi.domain.mail import EFFECTS, wait_before_try
from pigi.domain.plans import Limit
from pigi.domain.retention import Retention, keep
from pigi.jobs.queues import QUEUES


class Delivery(StrEnum):
    """How an effect is kept from happening twice."""

    EXACTLY = "exactly once"
    """Deduplicated where it lands: an idempotency key, a fenced row, a deterministic file."""
    AT_LEAST = "at least once"
    """May repeat after a crash between the act and its record; the page says how often it was begun."""
    AT_MOST = "at most once"
    """Never repeats; after such a crash it is shown as unknown."""


Hook = str | Callable[..., Any] | None
JOB_KEPT = keep(Retention.JOB)


@dataclass(frozen=True)
class Kind:
    """A kind of job: everything that is particular to it. No other module knows one kind from another.

    A hook is named as ``package.module:function``, since what it does lies in a layer above; it is loaded when it is
    first used, and a test loads them all.

    Attributes:
        name: ``noun.verb``, permanent.
        queue: one of `QUEUES`.
        attempts: temporary failures allowed before the job fails.
        time_limit: how long one attempt may run.
        wait: how long to wait before the next try, by the failures so far.
        retry_window: how long after its first start a job may still be retried; bounds a provider's Retry-After.
        effects: what it does to the world: key (up to the first colon) to how it is kept single.
        title: what pages call such a job.
        listed: whether an organisation's pages offer it among the kinds to look for.
        shown: whether an organisation's overview shows such jobs; not those that come by themselves all the time.
        reading: what members and keys must be allowed to do, so that they may read and follow it.
        changing: what they must be allowed to do, so that they may cancel and retry it.
        subject_reading: for a job of Pigi's own that is about an organisation, what those may do there who may read it.
        retry_needs: a field that a retry by hand must bring, since Pigi no longer holds it.
        restore: takes that field back in: ``(application, job, value)``, where ``job`` is a
            `pigi.jobs.execution.cleanup.EndedJob`.
        cleanup: removes what an ended job need not keep, on every path: ``(application, job)`` to when to come again,
            or None. Repeatable.
        result: path, in its organisation, of what it makes; ``{}`` is what the job is about.
        page: the page that shows it, likewise.
        live_text: reads text that streams while it runs:
            ``(application, organisation id, subject id, after)`` to pieces with a position.
        subjects: names what jobs are about: ``(application, caller, subject ids)`` to kind of resource and name.
        metered: the limit of a plan that requests for it count against.
        erases: the classes of retention of what its cleanup erases in organisations' databases.
        row_kept: how long its row lives after the end; only no-ops may go earlier than the rest.
        tombstone: whether burial leaves one.
        partition_prefix: begins its partition's name when it is no organisation's (`pigi.jobs.queueing.partitions`).

    Raises ValueError at declaration for an unknown queue or unusable limits.
    """

    name: str
    queue: str
    attempts: int = 5
    time_limit: timedelta = timedelta(minutes=5)
    wait: Callable[[int], timedelta] = backoff
    retry_window: timedelta = timedelta(minutes=15)
    effects: dict[str, Delivery] = field(default_factory=dict)
    title: str = ""
    listed: bool = False
    shown: bool = True
    reading: Action = Action.JOBS_READ
    changing: Action = Action.ORGANISATION_CHANGE
    subject_reading: Action | None = None
    retry_needs: str | None = None
    restore: Hook = None
    cleanup: Hook = None
    result: str | None = None
    page: str | None = None
    live_text: Hook = None
    subjects: Hook = None
    metered: Limit | None = None
    erases: tuple[Retention, ...] = ()
    row_kept: timedelta = JOB_KEPT
    tombstone: bool = True
    partition_prefix: str = "pigi"

    def __post_init__(self) -> None:
        if self.queue not in QUEUES:
            message = f"{self.name}: unknown queue {self.queue}"
            raise ValueError(message)
        if self.attempts < 1 or self.time_limit <= timedelta(0) or self.retry_window < self.time_limit:
            message = f"{self.name}: attempts, time limit and retry window do not fit together"
            raise ValueError(message)
        if (self.retry_needs is None) != (self.restore is None):
            message = f"{self.name}: what a retry needs, it must be able to take back in"
            raise ValueError(message)

    def path(self, template: str | None, subject_id: str | None) -> str | None:
        """``result`` or ``page`` for a job about ``subject_id``; None without one."""
        if template is None or ("{}" in template and subject_id is None):
            return None
        return template.format(subject_id)


def hook(name: Hook) -> Callable[..., Any]:
    """The function that a kind names; raises ValueError for None, ImportError and AttributeError for a wrong name."""
    if name is None:
        message = "this kind declares no such hook"
        raise ValueError(message)
    found: Callable[..., Any] = pkgutil.resolve_name(name) if isinstance(name, str) else name
    return found


def kind_of(name: str) -> Kind:
    """The kind of that name, or for one that this release does not know a stand-in with the strictest rights."""
    return CATALOGUE.get(name) or Kind(name, queue="control", title=name)


LONG_BACKOFF = partial(backoff, longest=timedelta(minutes=30))
"""The waits of a kind that nobody waits for, and that must outlast an outage of hours."""

MOST_LOSSES = 5
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
        retry_window=timedelta(minutes=15),
        effects={"model": Delivery.AT_LEAST, "draft": Delivery.EXACTLY},
        changing=Action.JOBS_CHANGE,
        title="Draft with AI",
        listed=True,
        retry_needs="purpose",
        restore="pigi.operations.generations:restore_purpose",
        cleanup="pigi.operations.generations:clean_up",
        erases=(Retention.PURPOSE, Retention.DRAFT),
        result="generations/{}",
        page="generations/{}",
        live_text="pigi.operations.generations:live_text",
        subjects="pigi.operations.dashboards:generation_names",
        metered=Limit.GENERATIONS,
    )
)
SWEEP_GENERATIONS = register(
    Kind("generations.sweep", queue="upkeep", title="Clearing away old drafts", time_limit=timedelta(minutes=10))
)
SWEEP_JOBS = register(
    Kind("jobs.sweep", queue="upkeep", title="Clearing away old jobs", time_limit=timedelta(minutes=10))
)
ANCHOR_AUDIT = register(
    Kind("audit.anchor", queue="upkeep", title="Signing the audit log", time_limit=timedelta(minutes=10))
)
FOLD_USAGE = register(Kind("usage.fold", queue="upkeep", title="Counting usage", time_limit=timedelta(minutes=10)))
MIGRATE_ORGANISATION = register(
    Kind(
        "organisations.migrate",
        queue="upkeep",
        title="Database update",
        listed=True,
        effects={"schema": Delivery.EXACTLY},
    )
)
WARN_OF_KEYS = register(Kind("api_keys.warn", queue="control", title="Warning of keys that end"))
SEND_MAIL = register(
    Kind(
        "mail.send",
        queue="mail",
        # By its waits about five hours: longer than most servers greylist or are down.
        attempts=18,
        wait=wait_before_try,
        # Above the gateway's overall limit of four minutes.
        time_limit=timedelta(minutes=5),
        retry_window=timedelta(hours=6),
        effects={effect: Delivery(promise.value) for promise, effect in EFFECTS.items()},
        title="Mail",
        listed=True,
        cleanup="pigi.operations.mail:clean_up",
    )
)
OPEN_CHECKOUT = register(
    Kind(
        "billing.checkout",
        queue="billing",
        title="Page for a purchase",
        listed=True,
        result="billing/links/{}",
        # Several calls at the gateway's limit of 30 s each; somebody waits for it, so not for long.
        time_limit=timedelta(minutes=4),
        changing=Action.BILLING_CHANGE,
        effects=dict.fromkeys(("customer", "contact", "subscription", "invoice", "checkout"), Delivery.EXACTLY),
    )
)
OPEN_PORTAL = register(
    Kind(
        "billing.portal",
        queue="billing",
        title="Page to manage the plan",
        listed=True,
        result="billing/links/{}",
        time_limit=timedelta(minutes=4),
        changing=Action.BILLING_CHANGE,
        effects={"portal": Delivery.EXACTLY},
    )
)
SYNC_BILLING = register(
    Kind(
        "billing.sync",
        queue="billing",
        title="Asking Stripe how things stand",
        listed=True,
        shown=False,
        result="billing",
        # By its waits for hours, as long as a provider is away at worst; later, reconciliation finds it.
        attempts=24,
        wait=LONG_BACKOFF,
        retry_window=timedelta(hours=6),
        changing=Action.BILLING_CHANGE,
    )
)
FOLLOW_CONTACT = register(
    Kind(
        "billing.contact",
        queue="billing",
        title="Telling Stripe whom to write to",
        listed=True,
        attempts=24,
        wait=LONG_BACKOFF,
        retry_window=timedelta(hours=6),
        changing=Action.BILLING_CHANGE,
        effects={"contact": Delivery.EXACTLY},
    )
)
RECONCILE_BILLING = register(
    Kind(
        "billing.reconcile",
        queue="upkeep",
        title="Comparing everything with Stripe",
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
    )
)
CLOSE_ORGANISATION = register(
    Kind(
        "organisations.close",
        queue="billing",
        title="Ending a subscription",
        # The organisation's own jobs are fenced by now, but its owners may follow this one.
        subject_reading=Action.DELETION_READ,
        attempts=24,
        wait=LONG_BACKOFF,
        retry_window=timedelta(hours=6),
        effects={"subscription": Delivery.EXACTLY, "invoice": Delivery.EXACTLY},
    )
)
PURGE_ORGANISATION = register(
    Kind(
        "organisations.purge",
        queue="upkeep",
        title="Removing an organisation",
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        effects={"subscription": Delivery.EXACTLY, "invoice": Delivery.EXACTLY, "customer": Delivery.EXACTLY},
        # Pigi's other maintenance is never behind many that are due at once.
        partition_prefix="deletions",
    )
)
SWEEP_ORGANISATIONS = register(
    Kind(
        "organisations.sweep",
        queue="upkeep",
        title="Looking for deletions that are due",
        time_limit=timedelta(minutes=10),
    )
)
PROBES: dict[str, Kind] = {
    name: register(
        Kind(
            f"{name}.probe",
            queue=name,
            title=f"Probe of {name}",
            attempts=1,
            time_limit=timedelta(seconds=30),
            row_kept=timedelta(hours=1),
            tombstone=False,
            # Not behind Pigi's own long sweeps, or a busy queue would look dead.
            partition_prefix="probe",
        )
    )
    for name in QUEUES
}
"""One no-op a queue: that it finished shows that the queue's consumer works."""
