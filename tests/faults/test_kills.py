"""kill -9 at every named moment: each job ends well, each draft comes once, and the books agree."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from pigi.jobs.kinds import MOST_LOSSES
from tests.support.moments import MOMENTS
from tests.support.sinks import check_books, effects, requests_by_name, stored_of
from tests.support.stack import recovery_seconds, until

if TYPE_CHECKING:
    from tests.support.stack import Stack

RECOVERED_SECONDS = 60.0
"""What the design promises for any killed process."""


def held_pid(stack: Stack, moment: str) -> int:
    mark = stack.settings.home / "holds" / moment
    return int(until(lambda: mark.exists() and mark.read_text(), 30, f"a job is held when {moment}"))


def test_a_child_killed_at_any_moment_costs_no_job_and_doubles_no_draft(stack: Stack, note) -> None:
    jobs = {moment: stack.post(f"hold {moment}") for moment in MOMENTS}
    streaming = stack.model.hold("streaming")
    jobs["streaming"] = stack.post("streaming")
    victims = [held_pid(stack, moment) for moment in MOMENTS] + [stack.child_of(streaming.wait()).pid]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    views = dict(zip(jobs, stack.wait(jobs.values(), RECOVERED_SECONDS), strict=True))
    streaming.release()
    check_books(stack, views.values(), kills={"streaming": 1})
    assert {view.attempt for view in views.values()} == {2}
    asked = requests_by_name(stack.model)
    assert asked["hold stored"] == asked["hold drafted"] == asked["hold closed"] == 1
    assert effects(views["begun"])["model:1"].tries == 2
    note("recovery_seconds", max(recovery_seconds(view) for view in views.values()))


def test_a_killed_main_process_costs_no_job_and_takes_its_children_along(stack: Stack) -> None:
    names = [f"main {number}" for number in range(3)]
    holds = [stack.model.hold(name) for name in names]
    jobs = [stack.post(name) for name in names]
    for held in holds:
        held.wait()
    worker = stack.processes["worker-ai"]
    worker.kill()
    until(lambda: not worker.orphans(), 60, "the children of a killed main process leave")
    later = stack.post("main later")
    stack.mend()
    for job in jobs:
        stack.lapse(job)
    views = stack.wait([*jobs, later], RECOVERED_SECONDS)
    for held in holds:
        held.release()
    check_books(stack, views, kills=dict.fromkeys(names, 1))


def test_a_poisonous_job_ends_as_worker_lost_and_harms_no_other(stack: Stack) -> None:
    job = stack.post("poison")

    def look() -> bool:
        stack.lapse(job)
        return stack.job(job).ended

    until(look, RECOVERED_SECONDS, "the poisonous job ended")
    view = stack.job(job)
    assert (view.state, view.reason) == ("failed", "worker_lost")
    assert [entry.reason for entry in view.timeline].count("lease_lapsed") == MOST_LOSSES - 1
    assert effects(view)["model:1"].state == "unknown"
    until(lambda: not stored_of(stack, view).purpose, 60, "the purpose is erased")
    check_books(stack, stack.wait([stack.post("after the poison")]))
    assert requests_by_name(stack.model)["poison"] == 0
