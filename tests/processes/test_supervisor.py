from __future__ import annotations

import os
import signal

import pytest

from pigi.processes.child import FIRST_PAUSE, LONGEST_PAUSE, Child
from pigi.processes.logs import Logs
from pigi.processes.program import Program, Stage
from tests.processes.conftest import runs, until


def test_what_is_killed_is_started_again_and_said(drill):
    drill.start(drill.row("worker"))
    first = drill.started("worker")
    until(lambda: drill.events("ready"), "ready")
    os.kill(first, signal.SIGKILL)
    second = drill.started("worker", times=2)
    assert runs(second)
    assert drill.events("died")[0]["text"] == "was killed by SIGKILL"
    os.kill(second, signal.SIGKILL)
    drill.started("worker", times=3)


def test_what_a_killed_program_leaves_behind_is_gone_before_it_starts_again(drill):
    drill.start(drill.row("web", manner="parent"))
    main, orphan = drill.started("web"), drill.started("web-child")
    os.kill(main, signal.SIGKILL)
    drill.started("web", times=2)
    assert not runs(orphan)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_everything_stops_in_the_opposite_order(drill, number):
    stages = ["SERVERS", "WEB", "WORKERS", "BEAT"]
    drill.start(*(drill.row(stage.lower(), stage) for stage in stages))
    pids = [drill.started(stage.lower()) for stage in stages]
    until(lambda: len(drill.events("ready")) == len(stages), "all ready")
    assert drill.stop(number) == 0
    lines = [line.split()[1] for line in drill.trace.read_text().splitlines() if line.startswith("stopped")]
    assert lines == ["beat", "workers", "web", "servers"]
    assert not any(runs(pid) for pid in pids)
    assert drill.events("stopped")


def test_a_stop_during_the_start_leaves_nothing(drill):
    drill.start(drill.row("redis", "SERVERS", ready_line="never said"), drill.row("worker"))
    pid = drill.started("redis")
    assert drill.stop() == 0
    assert not runs(pid)
    assert drill.pids("started", "worker") == []


def test_the_stubborn_are_killed_after_their_grace(drill):
    drill.start(drill.row("worker", manner="stubborn", grace=0.2))
    pid = drill.started("worker")
    until(lambda: drill.events("ready"), "ready")
    assert drill.stop() == 0
    assert not runs(pid)
    assert [event["program"] for event in drill.events("killed")] == ["worker"]


def test_nothing_outlives_a_killed_supervisor(drill):
    drill.start(drill.row("web"), drill.row("worker"))
    pids = [drill.started("web"), drill.started("worker")]
    drill.stop(signal.SIGKILL)
    until(lambda: not any(runs(pid) for pid in pids), "the children's end")


def test_a_program_that_dies_at_once_ends_the_start_with_its_reason(drill):
    drill.start(drill.row("web", manner="short", ready_line="never said"))
    assert drill.process.wait(60) == 1
    assert drill.events("failed")[0]["text"].startswith("web ended with status 3")
    assert len(drill.pids("started", "web")) == 3


def test_a_program_that_never_gets_ready_ends_the_start(drill):
    drill.start(drill.row("web", ready_line="never said", ready_within=0.5))
    assert drill.process.wait(60) == 1
    assert "was not ready within" in drill.events("failed")[0]["text"]
    assert not runs(drill.started("web"))


def test_what_runs_once_must_succeed_before_the_rest_starts(drill):
    once = drill.row("migrate", "SERVERS", manner="short", once=True)
    drill.start(once, drill.row("web", "WEB"))
    assert drill.process.wait(60) == 1
    assert "migrate ended with status 3" in drill.events("failed")[0]["text"]
    assert drill.pids("started", "web") == []


def test_pauses_double_up_to_a_bound(tmp_path):
    child = Child(Program("x", "x", Stage.WEB, ("true",)), Logs(tmp_path / "logs"))
    child.started_at = float("inf")  # younger than steady, however long the test takes
    pauses = [child.plan_restart() for _ in range(8)]
    assert pauses[:4] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4, FIRST_PAUSE * 8]
    assert pauses[-1] == LONGEST_PAUSE
    child.started_at = 0.0
    assert child.plan_restart() == FIRST_PAUSE
