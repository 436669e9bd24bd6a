"""The real thing: `pigi up` with all its programs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from pigi.processes.addresses import any_free, get_json
from tests.processes.conftest import ROOT, runs, until


class Up:
    """A `pigi up --json` in a home of its own."""

    def __init__(self, home, *words, port=None):
        self.home = home
        self.port = port or any_free()
        environment = {**os.environ, "PIGI_HOME": str(home), "PIGI_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        self.output = home / "output"
        self.errors = home / "errors"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pigi", "up", "--json", *words],
            stdout=self.output.open("ab"),
            stderr=self.errors.open("ab"),
            env=environment,
        )

    def events(self, kind):
        text = self.output.read_text()
        lines = text[: text.rfind("\n") + 1].splitlines()
        return [event for line in lines if (event := json.loads(line))["event"] == kind]

    def wait_for(self, kind, count=1):
        def there():
            if self.process.poll() is not None:
                pytest.fail(f"up ended with {self.process.returncode}: {self.errors.read_text()}")
            return len(self.events(kind)) >= count

        until(there, kind)
        return self.events(kind)

    def family(self):
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True) if runs(child.pid)]

    def of(self, *words):
        """The main process whose command holds all the words."""
        children = [child for child in psutil.Process(self.process.pid).children() if runs(child.pid)]
        return next(child.pid for child in children if set(words) <= set(child.cmdline()))


@pytest.fixture
def home():
    folder = Path(tempfile.mkdtemp(prefix="pigi-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def up(home):
    started = []

    def start(*words, port=None):
        started.append(Up(home, *words, port=port))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            family = one.family()
            one.process.terminate()
            try:
                one.process.wait(30)
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()
            until(lambda family=family: not any(runs(pid) for pid in family), "the end of the family")


def test_the_main_job_then_deaths_then_a_clean_stop_twice_in_one_home(up):
    first = up("--demo")
    draft = first.wait_for("draft")[0]
    assert draft["name"] == "code-reviewer"
    assert draft["draft"]["instructions"]
    assert [move["state"] for move in first.events("move")] == ["queued", "running", "succeeded"]
    key = first.wait_for("serving", count=2)[1]["key"]
    ready = len(first.events("ready"))
    for words in (("granian",), ("celery", "ai@%h"), ("celery", "beat")):
        os.kill(first.of(*words), signal.SIGKILL)
    first.wait_for("died", count=3)
    first.wait_for("ready", count=ready + 3)
    assert get_json("127.0.0.1", first.port, "/healthz")[0] == 200
    family = first.family()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert not any(runs(pid) for pid in family)
    assert first.errors.read_text() == ""

    first.output.unlink()
    second = up("--demo")
    second.wait_for("draft")
    assert second.wait_for("serving", count=2)[1]["key"] == key
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0


def test_nothing_outlives_a_killed_supervisor(up):
    one = up()
    one.wait_for("serving")
    family = one.family()
    one.process.kill()
    one.process.wait()
    until(lambda: not any(runs(pid) for pid in family), "the end of all children")


def test_a_second_one_is_told_what_runs(up, home):
    one = up()
    one.wait_for("serving")
    other = Up(home)
    assert other.process.wait(60) == 1
    told = json.loads(other.errors.read_text())
    assert told["code"] == "cannot_start"
    assert f"http://127.0.0.1:{one.port}" in told["message"]
    assert get_json("127.0.0.1", one.port, "/healthz")[0] == 200


def test_a_taken_port_is_named_with_a_free_one(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = up(port=port)
        assert one.process.wait(60) == 1
    told = json.loads(one.errors.read_text())["message"]
    assert f"port {port} on 127.0.0.1 is taken" in told
    assert "PIGI_PORT=" in told


def test_a_demo_takes_the_next_free_port(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = up("--demo", port=port)
        address = one.wait_for("serving")[0]["address"]
        assert address != f"http://127.0.0.1:{port}"
        assert one.wait_for("draft")
