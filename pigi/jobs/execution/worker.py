"""What a worker's child works with, and the bodies of the kinds that it can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from pigi.jobs.execution.heartbeat import LeaseHeartbeat
    from pigi.jobs.kinds import Kind
    from pigi.jobs.queueing.notifications import Notifier
    from pigi.ports import Gateways
    from pigi.store.sessions import ControlDatabase


class Opened(Protocol):
    """What the engine needs of a process's `pigi.application.Application`, which stands a storey above it."""

    @property
    def control(self) -> ControlDatabase:
        """The control database."""

    @property
    def notifier(self) -> Notifier:
        """Rings for jobs."""


Application = TypeVar("Application", bound=Opened)


@dataclass(frozen=True)
class WorkerContext(Generic[Application]):
    """What a worker's child works with, made after the fork (worker/lifecycle.py).

    ``chain_seconds`` is for how long one bell may lead from a short job to the next of its kind.
    """

    application: Application
    gateways: Gateways
    heartbeat: LeaseHeartbeat
    draining: Callable[[], bool]
    relaxed: ControlDatabase | None = None
    chain_seconds: float = 0.0

    @property
    def ledger(self) -> ControlDatabase:
        """Where claims and ends are written; ``relaxed`` saves their wait for the disk (`pigi.store.engines`)."""
        return self.relaxed or self.application.control


Body = Callable[..., None]
"""Of a `JobContext` and a `WorkerContext`."""


@dataclass(frozen=True)
class Handler:
    """A kind with its body."""

    kind: Kind
    body: Body
