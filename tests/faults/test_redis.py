"""Redis away, full, forgetful: every request is accepted, and every job is done once it is back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import redis

from pigi.jobs.queueing.notifications import PREFIX
from tests.support.sinks import check_books
from tests.support.stack import HELD_WORKER, until
from tests.support.stack_fixtures import CHILDREN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.stack import Stack

BACK_SECONDS = 40.0
POST_SECONDS = 0.6
"""A request may lose 200 ms to a dead Redis; the rest is its databases, on a busy machine."""


@pytest.fixture
def unmended(stack: Stack) -> Iterator[Stack]:
    """A stack whose worker and beat must come through by themselves."""
    before = {name: process.pid for name, process in stack.processes.items() if name != "redis"}
    yield stack
    after = {name: process.pid for name, process in stack.processes.items() if name != "redis" and process.alive}
    assert after == before


def posts(stack: Stack, name: str, count: int = 4) -> list[str]:
    jobs = []
    for number in range(count):
        began = time.monotonic()
        jobs.append(stack.post(f"{name} {number}"))
        assert time.monotonic() - began < POST_SECONDS
    return jobs


def test_a_redis_that_stops_for_a_while_delays_jobs_and_loses_none(unmended: Stack) -> None:
    held = unmended.model.hold("through it")
    through = unmended.post("through it")
    held.wait()
    unmended.stop_redis()
    jobs = posts(unmended, "away")
    held.release()
    check_books(unmended, unmended.wait([through]))
    unmended.redis()
    check_books(unmended, unmended.wait(jobs, BACK_SECONDS))


def test_a_redis_that_restarts_and_is_flushed_twice_loses_no_job(unmended: Stack) -> None:
    names = [f"flush {number}" for number in range(10)]
    holds = [unmended.model.hold(name) for name in names]
    jobs = [unmended.post(name) for name in names]
    for held in holds[:8]:
        held.wait()
    unmended.redis().flushall()
    jobs += posts(unmended, "flushed", 2)
    unmended.redis().flushall()
    unmended.stop_redis()
    unmended.redis()
    for held in holds:
        held.release()
    check_books(unmended, unmended.wait(jobs, BACK_SECONDS))


def test_a_full_redis_delays_jobs_and_loses_none(unmended: Stack) -> None:
    client = unmended.redis()
    client.config_set("maxmemory", 1)
    with pytest.raises(redis.RedisError, match="maxmemory"):
        client.lpush("any", "thing")
    jobs = posts(unmended, "full", 3)
    assert client.llen(f"{PREFIX}ai") == 0
    client.config_set("maxmemory", 0)
    check_books(unmended, unmended.wait(jobs, BACK_SECONDS))


def test_a_worker_that_starts_without_redis_begins_when_it_comes(stack: Stack) -> None:
    stack.processes["worker-ai"].end()
    stack.stop_redis()
    jobs = posts(stack, "early", 3)
    worker = stack.worker(children=CHILDREN, app=HELD_WORKER, ready=False)
    until(lambda: len(worker.children()) >= CHILDREN, 30, "the worker has its children")
    stack.redis()
    check_books(stack, stack.wait(jobs, BACK_SECONDS))
    assert worker.alive
