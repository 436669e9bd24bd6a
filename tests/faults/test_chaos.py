"""Everything at once, and at random: sixty jobs while children, mains, beat and Redis die. On PostgreSQL only."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from standins.anthropic.faults import ok
from tests.support.chance import a_seed
from tests.support.sinks import check_books, drafts_in
from tests.support.stack import recovery_seconds, slowly, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.stack import Stack

JOBS = 60
ALL_DONE_SECONDS = 120.0
RECOVERED_SECONDS = 60.0


@pytest.fixture
def slow_model(engine: str, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """Each answer takes a while, so that kills meet jobs in every state."""
    if engine != "postgresql":
        pytest.skip("slow: on PostgreSQL only")
    stack: Stack = request.getfixturevalue("stack")
    stack.model.usual = slowly(0.6)
    yield stack
    stack.model.usual = ok()


def kill_a_child(stack: Stack, chance: random.Random) -> None:
    children = stack.processes["worker-ai"].children()
    if children:
        with suppress(psutil.NoSuchProcess):
            chance.choice(children).send_signal(signal.SIGKILL)


def events(stack: Stack, chance: random.Random) -> list[Callable[[], object]]:
    """What happens, in an order that the seed decides."""

    def restart_redis() -> None:
        stack.stop_redis()
        stack.redis()

    kills = [lambda: kill_a_child(stack, chance) for _ in range(8)]
    single = [stack.processes["worker-ai"].kill, stack.processes["beat"].kill, stack.redis().flushall, restart_redis]
    return chance.sample([*kills, *single], len(kills) + len(single))


def test_sixty_jobs_among_random_deaths_all_end_well_with_one_draft_each(slow_model: Stack, note) -> None:
    stack, seed = slow_model, a_seed(7)
    note("seed", seed)
    organisations = [stack.another_organisation() for _ in range(3)]
    jobs = [stack.post(f"chaos {number}", organisation=organisations[number % 3]) for number in range(JOBS)]
    drafted = lambda: sum(len(drafts_in(stack, one)) for one in organisations)
    for event in events(stack, random.Random(seed)):
        event()
        done = drafted()
        until(lambda before=done: drafted() > before or pause_is_over(), 30, "a moment")
        stack.mend()
    views = stack.wait(jobs, ALL_DONE_SECONDS)
    check_books(stack, views, kills={f"chaos {number}": view.attempt - 1 for number, view in enumerate(views)})
    assert sorted(job for one in organisations for job in drafts_in(stack, one)) == sorted(jobs)
    interrupted = [recovery_seconds(view, attempt) for view in views for attempt in range(1, view.attempt)]
    assert interrupted, f"no kill met a job (seed {seed})"
    assert max(interrupted) < RECOVERED_SECONDS
    note("recovery_seconds", max(interrupted))


def pause_is_over() -> bool:
    """Now and then nothing finishes between two events."""
    return time.monotonic() % 1 < 0.1
