"""What the body of a job is given: its `JobContext`, and the `WorkerContext` of the process that runs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pigi.jobs import effects
from pigi.jobs.execution.timeouts import DATABASE_SECONDS
from pigi.jobs.model import transitions
from pigi.jobs.model.claim import HandBack
from pigi.store.outages import retry_while_unavailable

if TYPE_CHECKING:
    from pigi.jobs.effects import Begun
    from pigi.jobs.execution.heartbeat import LeaseHeartbeat
    from pigi.jobs.kind import Kind
    from pigi.jobs.model.claim import Claim
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlDatabase

PROGRESS_SECONDS = 0.5
"""Progress that follows the last so soon is not stored."""


class ApplicationProtocol(Protocol):
    """What the engine needs of a process's `pigi.application.Application`, which stands a layer above it."""

    @property
    def control(self) -> ControlDatabase:
        """The control database."""

    @property
    def notifier(self) -> Notifier:
        """Sends notifications for jobs."""


Application = TypeVar("Application", bound=ApplicationProtocol)


@dataclass(frozen=True)
class WorkerContext(Generic[Application]):
    """What a worker's child works with, made after the fork (worker/lifecycle.py).

    ``draining`` says whether the worker is stopping, so that the job at hand is to be handed back.
    ``chain_seconds`` is for how long one notification may lead from a short job to the next of its kind.
    """

    application: Application
    gateways: Gateways
    heartbeat: LeaseHeartbeat
    draining: Callable[[], bool]
    relaxed: ControlDatabase | None = None
    chain_seconds: float = 0.0

    @property
    def relaxed_control(self) -> ControlDatabase:
        """Where claims and ends are written; ``relaxed`` saves their wait for the disk (`pigi.store.engines`)."""
        return self.relaxed or self.application.control


Body = Callable[..., None]
"""Of a `JobContext` and a `WorkerContext`."""


@dataclass(frozen=True)
class Handler:
    """A kind with its body."""

    kind: Kind
    body: Body


class JobContext:
    """Handed to the body of one attempt of one job: its facts, checkpoints, progress and effects."""

    def __init__(
        self, control: ControlDatabase, held: Claim, heartbeat: LeaseHeartbeat, draining: Callable[[], bool]
    ) -> None:
        self.control = control
        self.job = held
        self._heartbeat = heartbeat
        self._draining = draining
        self._noted_at = 0.0
        self._calls: dict[str, effects.Call] = {}

    @property
    def organisation_id(self) -> str:
        """The organisation of the job; raises ValueError for a job of Pigi's own."""
        if self.job.organisation_id is None:
            message = f"{self.job.kind} has no organisation"
            raise ValueError(message)
        return self.job.organisation_id

    @property
    def subject_id(self) -> str:
        """What the job is about; raises ValueError if it is about nothing."""
        if self.job.subject_id is None:
            message = f"{self.job.kind} has no subject"
            raise ValueError(message)
        return self.job.subject_id

    def checkpoint(self) -> None:
        """Stop here if need be: raises Cancelled, LeaseLost or HandBack. Call it between steps; it costs nothing."""
        self._heartbeat.check()
        if self._draining():
            raise HandBack

    def checkpoint_now(self) -> None:
        """As `checkpoint`, but ask the database now instead of trusting what was learned in the last second."""
        self._heartbeat.beat()
        self.checkpoint()

    def progress(self, done: int, total: int, note: str) -> None:
        """Show how far the job is; ``note`` is a fixed word, never content. Throttled, but the last is shown."""
        moment = time.monotonic()
        if moment - self._noted_at < PROGRESS_SECONDS and done < total:
            return
        self._noted_at = moment
        with self.control.autocommit() as connection:
            connection.execute(transitions.PROGRESS, {**self.job.mine, "done": done, "total": total, "note": note})

    def begin_effect(self, key: str) -> Begun:
        """Record an intent; see `pigi.jobs.effects.begin`."""
        call = self._calls[key] = effects.Call()
        return retry_while_unavailable(lambda: effects.begin(self.control, self.job, key, call), DATABASE_SECONDS)

    def complete_effect(self, key: str, reference: str | None) -> None:
        """Record that it was done; see `pigi.jobs.effects.complete`."""
        retry_while_unavailable(lambda: effects.complete(self.control, self.job, key, reference), DATABASE_SECONDS)

    def confirm_effect(self, key: str) -> None:
        """Complete what an attempt that died left open, though its outcome is stored; see `effects.confirm`."""
        retry_while_unavailable(lambda: effects.confirm(self.control, self.job, key), DATABASE_SECONDS)

    def confirm_effects(self, *sorts: str) -> None:
        """`confirm_effect` for each of these sorts (keys up to the colon) that an earlier attempt left open."""
        with self.control.autocommit() as connection:
            found = effects.effects_of(connection, self.job.job_id)
        for effect in found:
            if effect.state == "intended" and effect.key.partition(":")[0] in sorts:
                self.confirm_effect(effect.key)

    def withdraw_effect(self, key: str) -> None:
        """Take back the intent that this attempt recorded last: it certainly led to nothing. KeyError without one."""
        tries = self._calls[key].tries or 1
        retry_while_unavailable(lambda: effects.withdraw(self.control, self.job, key, tries), DATABASE_SECONDS)
