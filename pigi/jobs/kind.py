"""What a kind of job is: everything that is particular to it, declared in one place."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

from pigi.domain.access import Action
from pigi.domain.job_state import backoff
from pigi.domain.processing import Use
from pigi.domain.retention import Retention, keep
from pigi.jobs.queues import QUEUES

if TYPE_CHECKING:
    from pigi.domain.plans import Limit


class Delivery(StrEnum):
    """How an effect is kept from happening twice."""

    EXACTLY = "exactly once"
    """Deduplicated where it lands: an idempotency key, a fenced row, a deterministic file."""
    AT_LEAST = "at least once"
    """May repeat after a crash between the act and its record; the page says how often it was begun."""
    AT_MOST = "at most once"
    """Never repeats; after such a crash it is shown as unknown."""


LONG_BACKOFF = partial(backoff, longest=timedelta(minutes=30))
"""The waits of a kind that nobody waits for, and that must outlast an outage of hours."""
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
        patience: failures that are waited out until the retry window is over, however often they come: code to the
            wait before the next try, by the failures so far.
        retry_window: how long after its first start a job may still be retried; bounds a provider's Retry-After.
        effects: what it does to the world: key (up to the first colon) to how it is kept single.
        title: what pages call such a job.
        listed: whether an organisation's pages offer it among the kinds to look for.
        housekeeping: whether such jobs come by themselves and nobody waits for one, so that lists and the overview
            leave them out unless they are asked for; as its queue says if it says nothing (`is_housekeeping`).
        reading: what members and keys must be allowed to do, so that they may read and follow it.
        changing: what they must be allowed to do, so that they may cancel and retry it.
        use: what it uses the data of whoever requests it for, which they may have stopped.
        while_deleting: whether it may also be requested and done in its organisation's grace period.
        subject_reading: for a job of Pigi's own that is about an organisation, what those may do there who may read it.
        retry_needs: a field that a retry by hand must bring, since Pigi no longer holds it.
        restore: takes that field back in: ``(application, job, value)``, where ``job`` is a
            `pigi.jobs.execution.cleanup.EndedJob`.
        cleanup: removes what an ended job need not keep, on every path: ``(application, job)`` to when to come again,
            or None. Repeatable.
        result: path of what it makes, in its organisation, or of a job of none in the person's own account; ``{}`` is
            what the job is about.
        page: the page that shows it, likewise.
        again: path, in its organisation, to which a POST asks for another such job; what a deletion stopped may be
            asked for so, once the organisation is restored.
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
    patience: Mapping[str, Callable[[int], timedelta]] = field(default_factory=dict)
    retry_window: timedelta = timedelta(minutes=15)
    effects: dict[str, Delivery] = field(default_factory=dict)
    title: str = ""
    listed: bool = False
    housekeeping: bool | None = None
    reading: Action = Action.JOBS_READ
    changing: Action = Action.ORGANISATION_CHANGE
    use: Use = Use.SERVICE
    while_deleting: bool = False
    subject_reading: Action | None = None
    retry_needs: str | None = None
    restore: Hook = None
    cleanup: Hook = None
    result: str | None = None
    page: str | None = None
    again: str | None = None
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

    @property
    def is_housekeeping(self) -> bool:
        """Whether lists leave such jobs out unless they are asked for."""
        return QUEUES[self.queue].housekeeping if self.housekeeping is None else self.housekeeping

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
