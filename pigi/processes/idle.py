"""A watchdog for workers that live but consume nothing, as Celery on Redis has been seen to do after a reconnect.

Each queue is probed by a no-op job (`pigi.jobs.kinds.PROBES`), and readiness says when one did not finish
for three periods. If all that a probe needs is well except the worker, the worker is started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from pigi.processes import addresses

if TYPE_CHECKING:
    from pigi.processes.program import Program
    from pigi.processes.supervisor import Supervisor

LOOK_SECONDS = 15.0
STEADY_SECONDS = 120.0
"""A worker, and all that feeds it, must have run so long before its silence counts."""
SILENCE_SECONDS = 30.0
"""The silence must last so much longer: after a machine's sleep every clock says that probes are late."""

Read = Callable[[], dict[str, bool]]


class IdleWorkers:
    """A periodic check of the supervisor: restarts a silent pool once until it was well again."""

    def __init__(self, supervisor: Supervisor, programs: Iterable[Program], read: Read) -> None:
        self._supervisor = supervisor
        self._pools = [program for program in programs if program.queues]
        self._read = read
        self._next_look = 0.0
        self._silent_since: dict[str, float] = {}
        self._restarted: set[str] = set()

    def __call__(self) -> None:
        """Look, if it is time to."""
        moment = time.monotonic()
        if moment >= self._next_look:
            self._next_look = moment + LOOK_SECONDS
            self._judge(self._read(), moment)

    def _judge(self, well: dict[str, bool], moment: float) -> None:
        feeding = well.get("redis", False) and well.get("pump", False)
        feeding = feeding and all(self._supervisor.steady(name, STEADY_SECONDS) for name in ("redis", "beat", "web"))
        for pool in self._pools:
            silent = [queue for queue in pool.queues if not well.get(f"queue {queue}", True)]
            if not silent:
                self._silent_since.pop(pool.name, None)
                self._restarted.discard(pool.name)
            elif feeding and self._supervisor.steady(pool.name, STEADY_SECONDS):
                self._consider(pool.name, silent, moment)

    def _consider(self, pool: str, silent: list[str], moment: float) -> None:
        since = self._silent_since.setdefault(pool, moment)
        if moment - since >= SILENCE_SECONDS and pool not in self._restarted:
            self._restarted.add(pool)
            self._supervisor.restart(pool, f"lives but consumes nothing from {', '.join(silent)}")


def read_readiness(host: str, port: int) -> dict[str, bool]:
    """What `/readyz` says: the name of each part and whether it is well; empty when nobody answers."""
    _, body = addresses.get_json(host, port, "/readyz")
    checks: Any = body.get("checks") if isinstance(body, dict) else None
    if not isinstance(checks, list):
        return {}
    return {str(check["name"]): bool(check["ok"]) for check in checks if {"name", "ok"} <= set(check)}
