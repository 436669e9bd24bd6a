from __future__ import annotations

import pytest

from pigi.processes import idle
from pigi.processes.idle import IdleWorkers
from pigi.processes.program import Program, Stage

WELL = {"redis": True, "pump": True, "queue ai": True, "queue mail": True}
SILENT = {**WELL, "queue ai": False}


class Supervised:
    """Stands in for the supervisor: who is steady, and what was restarted."""

    def __init__(self):
        self.unsteady = set()
        self.restarted = []

    def steady(self, name, _seconds):
        return name not in self.unsteady

    def restart(self, name, why):
        self.restarted.append((name, why))


class Watch:
    """Idle workers on a clock of their own."""

    def __init__(self, monkeypatch):
        self.moment, self.well, self.supervisor = 1000.0, WELL, Supervised()
        monkeypatch.setattr(idle.time, "monotonic", lambda: self.moment)
        pools = [Program(f"worker-{name}", "", Stage.WORKERS, (), queues=(name,)) for name in ("ai", "mail")]
        self.chore = IdleWorkers(self.supervisor, pools, lambda: self.well)

    def look(self, well, times=1):
        self.well = well
        for _ in range(times):
            self.moment += idle.LOOK_SECONDS
            self.chore()

    @property
    def restarted(self):
        return [name for name, _ in self.supervisor.restarted]


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def test_a_silent_pool_is_restarted_once_until_it_was_well(watch):
    watch.look(SILENT, times=20)
    assert watch.restarted == ["worker-ai"]
    assert watch.supervisor.restarted[0][1] == "lives but consumes nothing from ai"
    watch.look(WELL)
    watch.look(SILENT, times=20)
    assert watch.restarted == ["worker-ai", "worker-ai"]


def test_a_short_silence_is_forgiven(watch):
    watch.look(SILENT, times=2)
    watch.look(WELL)
    watch.look(SILENT, times=2)
    assert watch.restarted == []


@pytest.mark.parametrize("missing", ["redis", "pump"])
def test_nothing_is_restarted_when_the_fault_lies_elsewhere(watch, missing):
    watch.look({**SILENT, missing: False}, times=20)
    assert watch.restarted == []


@pytest.mark.parametrize("young", ["redis", "beat", "web", "worker-ai"])
def test_nothing_is_restarted_while_something_is_young(watch, young):
    watch.supervisor.unsteady.add(young)
    watch.look(SILENT, times=20)
    assert watch.restarted == []


def test_nothing_is_restarted_when_readiness_does_not_answer(watch):
    watch.look({}, times=20)
    assert watch.restarted == []
