"""Workers that are told to stop, two beats at once, and no beat for a while."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from pigi.jobs.model.transitions import JOB
from tests.support.sinks import check_books
from tests.support.stack import Stack, slowly, until

if TYPE_CHECKING:
    from pigi.jobs.model.view import JobView

LEFT_SECONDS = 12.0
"""A stopping worker's patience is 7 s; its main process may take a moment more to leave."""


def was_handed_back(view: JobView) -> bool:
    return any(entry.reason == "handed_back" for entry in view.timeline)


@pytest.mark.parametrize("remapped", ["", "SIGQUIT"], ids=["SIGTERM", "SIGTERM as SIGQUIT"])
def test_a_stopping_worker_hands_its_work_to_another(stack: Stack, engine: str, remapped: str) -> None:
    if bool(remapped) == (engine == "sqlite"):
        pytest.skip("slow: plain SIGTERM runs on SQLite only, the remapped one on PostgreSQL only")
    environment = {"REMAP_SIGTERM": remapped} if remapped else {}
    stack.forget("worker-ai")
    leaving = stack.worker(name="leaving", children=3, **environment)
    names = [f"handed {number} {remapped}" for number in range(2)]
    silent = stack.model.hold(names[0])
    stack.model.plan(names[1], slowly(20, pieces=100))
    jobs = [stack.post(name) for name in names]
    silent.wait()
    stack.wait_for(jobs[1], "running")
    stack.worker(children=8, app="tests.support.held_worker")
    leaving.terminate()
    views = stack.wait(jobs, LEFT_SECONDS + 8)
    silent.release()
    check_books(stack, views, kills=dict.fromkeys(names, 1))
    assert all(map(was_handed_back, views))
    leaving.wait(30)
    stack.forget("leaving")
    assert not leaving.orphans()


def test_two_beats_at_once_ask_and_pump_nothing_twice(stack: Stack) -> None:
    stack.beat("beat-two")
    jobs = [stack.post(f"two beats {number}") for number in range(12)]
    check_books(stack, stack.wait(jobs))
    with stack.application.control.autocommit() as connection:
        asked = connection.execute(select(JOB.c.schedule, JOB.c.period).where(JOB.c.schedule.is_not(None))).all()
    assert set(Counter(tuple(row) for row in asked).values()) == {1}
    stack.forget("beat-two")


def test_jobs_recover_once_a_killed_beat_is_back(stack: Stack) -> None:
    stack.processes["beat"].kill()
    held = stack.model.hold("without a beat")
    job = stack.post("without a beat")
    stack.child_of(held.wait()).send_signal(signal.SIGKILL)
    stack.redis().flushall()
    stack.lapse(job)
    waiting = [stack.post(f"beatless {number}") for number in range(3)]
    check_books(stack, stack.wait(waiting))
    assert stack.job(job).state == "running"
    stack.mend()
    until(lambda: stack.processes["beat"].alive, 60, "beat is back")
    check_books(stack, stack.wait([job], 20), kills={"without a beat": 1})
    held.release()
