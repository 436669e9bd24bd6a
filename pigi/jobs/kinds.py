"""The catalogue: every kind of job there is. Whoever enqueues imports a `Kind`; the worker, the function.

A wire name is written once, by hand, and never changes: rows of an older version must find their worker.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pigi.domain.access import Action
from pigi.domain.controls import GROUPS
from pigi.domain.mail import EFFECTS, Promise, wait_before_try
from pigi.domain.plans import Limit
from pigi.domain.processing import Use
from pigi.domain.provider_failures import PATIENCE
from pigi.domain.retention import SWEPT, Retention
from pigi.jobs.kind import LONG_BACKOFF, Delivery, Kind
from pigi.jobs.queues import QUEUES


def kind_of(name: str) -> Kind:
    """The kind of that name, or for one that this release does not know a stand-in with the strictest rights."""
    return CATALOGUE.get(name) or Kind(name, queue="control", title=name)


BRIEF = timedelta(minutes=10)
"""The time limit of maintenance that is short on all but the worst of days."""
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
        patience=PATIENCE,
        retry_window=timedelta(hours=1),
        effects={"model": Delivery.AT_LEAST, "draft": Delivery.EXACTLY},
        changing=Action.JOBS_CHANGE,
        use=Use.GENERATION,
        title="Draft with AI",
        listed=True,
        retry_needs="purpose",
        restore="pigi.operations.generations:restore_purpose",
        cleanup="pigi.operations.generations:clean_up",
        erases=(Retention.PURPOSE, Retention.DRAFT),
        result="generations/{}",
        page="generations/{}",
        again="generations",
        live_text="pigi.operations.generations:live_text",
        subjects="pigi.operations.dashboards:generation_names",
        metered=Limit.GENERATIONS,
    )
)
SWEEP_GENERATIONS = register(Kind("generations.sweep", queue="upkeep", title="Clearing drafts away", time_limit=BRIEF))
# The previous release's only sweep, of every class: its beat may still request it. Goes one release later.
SWEEP_JOBS = register(Kind("jobs.sweep", queue="upkeep", title="Clearing away old jobs", time_limit=BRIEF))
SWEEPS: dict[Retention, Kind] = {
    retention: register(
        Kind(
            f"retention.{retention}",
            queue="upkeep",
            title=f"Clearing away what is over its period: {retention.replace('_', ' ')}",
            time_limit=BRIEF,
            # Pigi's other maintenance is not behind a long one, such as the first after months of standstill.
            partition_prefix="retention",
        )
    )
    for retention in SWEPT
}
"""A sweep a class: each has its own schedule, its own failures and its own history."""
ANCHOR_AUDIT = register(Kind("audit.anchor", queue="upkeep", title="Signing the audit log", time_limit=BRIEF))
FOLD_USAGE = register(Kind("usage.fold", queue="upkeep", title="Counting usage", time_limit=BRIEF))
_SCHEMA = {"schema": Delivery.EXACTLY}
MIGRATE_ORGANISATION = register(
    Kind("organisations.migrate", queue="upkeep", title="Database update", listed=True, effects=_SCHEMA)
)
ROTATE_KEYRING = register(
    Kind(
        "keys.rotate",
        queue="upkeep",
        title="Putting everything under the first key",
        attempts=12,
        wait=LONG_BACKOFF,
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        # Not behind the night's other maintenance: whoever rotates keys waits for it.
        partition_prefix="keys",
    )
)
ROTATE_DUE_KEYS = register(Kind("keys.due", queue="upkeep", title="Renewing data keys that are due", time_limit=BRIEF))
ROTATE_DATA_KEY = register(
    Kind(
        "keys.rotate_data",
        queue="upkeep",
        title="Renewing the organisation's key",
        listed=True,
        attempts=12,
        wait=LONG_BACKOFF,
        time_limit=timedelta(hours=2),
        retry_window=timedelta(hours=12),
        while_deleting=True,
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
# Not behind backups, which take hours.
ANNOUNCE_POLICY = register(
    Kind(
        "policy.announce", queue="upkeep", title="Telling of a new policy", time_limit=BRIEF, partition_prefix="policy"
    )
)
NOTIFY_OF_POLICY = register(
    replace(
        SEND_MAIL,
        name="policy.notify",
        effects={EFFECTS[Promise.AT_MOST]: Delivery.AT_MOST},
        title="Notice of a new policy",
        listed=False,
        housekeeping=True,
        # Somebody who waits for a new password is not behind a mail to everybody.
        partition_prefix="policy",
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
        housekeeping=True,
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
        housekeeping=True,
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
        # It is about a deletion, so that no row names the organisation any more. By its waits for hours.
        attempts=24,
        wait=LONG_BACKOFF,
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        effects={"subscription": Delivery.EXACTLY, "invoice": Delivery.EXACTLY, "customer": Delivery.EXACTLY},
        # Pigi's other maintenance is never behind many that are due at once.
        partition_prefix="deletions",
    )
)
PURGE_ACCOUNT = register(
    Kind(
        "accounts.purge",
        queue="upkeep",
        title="Removing an account",
        attempts=24,
        wait=LONG_BACKOFF,
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        partition_prefix="deletions",
    )
)
SWEEP_ORGANISATIONS = register(
    Kind("organisations.sweep", queue="upkeep", title="Looking for deletions that are due", time_limit=BRIEF)
)
EXPORT_CONFIGURATION = register(
    Kind(
        "exports.configuration",
        queue="export",
        title="Export of the configuration",
        listed=True,
        # By its waits for hours: as long as a files store is full or away at worst.
        attempts=18,
        wait=LONG_BACKOFF,
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        effects={"file": Delivery.EXACTLY},
        reading=Action.EXPORT,
        changing=Action.EXPORT,
        while_deleting=True,
        cleanup="pigi.operations.exports:clean_up",
        result="exports/{}",
        again="exports",
        page="exports",
    )
)
MAKE_BACKUP = register(
    Kind(
        "backups.make",
        queue="upkeep",
        title="Backing up",
        # As long as thousands of databases take; the day's other maintenance has the queue's second place.
        time_limit=timedelta(hours=6),
        retry_window=timedelta(hours=12),
        attempts=3,
    )
)
READ_IMPORT = register(
    Kind(
        "imports.read",
        queue="export",
        title="Reading an import",
        listed=True,
        # A file of a gigabyte, checked like everything that is saved.
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        reading=Action.IMPORT,
        changing=Action.IMPORT,
        cleanup="pigi.operations.imports:clean_up",
        erases=(Retention.IMPORT,),
        result="imports/{}",
        page="imports/{}",
    )
)
ACCEPT_IMPORT = register(
    Kind(
        "imports.accept",
        queue="export",
        title="Importing configuration",
        listed=True,
        time_limit=timedelta(hours=2),
        retry_window=timedelta(hours=12),
        effects={"configuration": Delivery.EXACTLY},
        reading=Action.IMPORT,
        changing=Action.IMPORT,
        cleanup="pigi.operations.imports:clean_up_accepted",
        result="imports/{}",
        page="imports/{}",
    )
)
SWEEP_IMPORTS = register(Kind("imports.sweep", queue="upkeep", title="Clearing away uploads", time_limit=BRIEF))
EXPORT_ACCESS = register(
    Kind(
        "exports.access",
        queue="export",
        title="Copy of a person's data",
        attempts=18,
        wait=LONG_BACKOFF,
        time_limit=timedelta(hours=1),
        retry_window=timedelta(hours=6),
        effects={"file": Delivery.EXACTLY},
        cleanup="pigi.operations.exports:clean_up",
        result="exports/{}",
    )
)
CHECKS: dict[str, Kind] = {
    group: register(
        Kind(
            f"promises.{group}",
            queue="control",
            title=f"Checking promises: {group.replace('_', ' ')}",
            attempts=1,
            # What is not checked in time is stale, and the next check is five minutes away.
            time_limit=timedelta(minutes=2),
            row_kept=timedelta(hours=1),
            tombstone=False,
            partition_prefix=f"promises-{group}",
        )
    )
    for group in GROUPS
}
"""A check a group of controls: one that hangs or dies keeps no other group waiting."""
BEGIN_ROUND = register(
    Kind(
        "promises.round",
        queue="control",
        title="Beginning a round of Pigi's own canary",
        attempts=1,
        time_limit=timedelta(minutes=2),
        row_kept=timedelta(hours=1),
        tombstone=False,
        partition_prefix="promises-round",
    )
)
WATCH_PROMISES = register(
    Kind(
        "promises.watch",
        queue="control",
        title="Telling operators how the promises stand",
        attempts=1,
        time_limit=timedelta(minutes=2),
        row_kept=timedelta(hours=1),
        tombstone=False,
        partition_prefix="promises-watch",
    )
)
PROBES: dict[str, Kind] = {
    name: register(
        Kind(
            f"{name}.probe",
            queue=name,
            title=f"Probe of {name}",
            housekeeping=True,
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
