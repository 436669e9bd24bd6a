"""Queues by duration and nature, and the pools of worker processes that consume them.

``concurrency`` is the fairness rule: an organisation has at most so many jobs of the queue published or running;
the rest wait in the table. Every limit is smaller than its pool, so that one organisation's jobs of one
queue never hold all its children. prefork's parent is its own bottleneck: for more cores run a pool twice, not larger.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pool:
    """One worker process: ``children`` children, started with ``pigi worker NAME``."""

    name: str
    children: int


@dataclass(frozen=True)
class Queue:
    """A list in Redis, the pool that consumes it, and how many of its jobs one organisation may have under way.

    ``housekeeping``: what its kinds do comes by itself, unless they say otherwise (`pigi.jobs.kind.Kind`).
    """

    name: str
    pool: str
    concurrency: int
    housekeeping: bool = False


POOLS: dict[str, Pool] = {pool.name: pool for pool in (Pool("quick", 4), Pool("ai", 10), Pool("slow", 3))}

QUEUES: dict[str, Queue] = {
    queue.name: queue
    for queue in (
        Queue("control", "quick", 3, housekeeping=True),
        Queue("mail", "quick", 3),
        Queue("billing", "quick", 2),
        Queue("ai", "ai", 8),
        Queue("export", "slow", 2),
        Queue("upkeep", "slow", 2, housekeeping=True),
    )
}


def queues_of(pool: str) -> list[str]:
    """The queues that a pool consumes; raises KeyError for an unknown pool."""
    name = POOLS[pool].name
    return [queue.name for queue in QUEUES.values() if queue.pool == name]
