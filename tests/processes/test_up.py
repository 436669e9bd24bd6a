"""The real thing: `pigi up` with all its programs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from pigi.processes.addresses import get_json
from tests.processes.conftest import runs, until, words_of
from tests.support.up import Up

SHELL = {
    "PIGI_SECRET_KEYS": "secret-ring:" + "c2VjcmV0" * 5 + "c2U=",
    "AWS_SECRET_ACCESS_KEY": "secret-aws",
    "PGPASSWORD": "secret-pg",
    "GITHUB_TOKEN": "secret-token",
}
"""What whoever starts it has in their shell."""
HELD = {
    "web": {"ring", "aws", "pg"},
    "worker-quick": {"ring", "aws", "pg"},
    "worker-ai": {"ring", "pg"},
    "worker-slow": {"ring", "aws", "pg"},
    "beat": {"pg"},
    "redis": set(),
    "standins.anthropic": set(),
    "standins.stripe": set(),
    "standins.mail": set(),
}


@contextmanager
def starting():
    """Starts one after another in a home of their own; all are gone afterwards."""
    home, started = Path(tempfile.mkdtemp(prefix="pigi-")), []

    def start(*words, port=None):
        started.append(Up(home, *words, port=port, **SHELL))
        return started[-1]

    try:
        yield start
    finally:
        for one in started:
            one.end()
        shutil.rmtree(home)


@pytest.fixture
def up():
    with starting() as start:
        yield start


@pytest.fixture(scope="module")
def demo():
    """Starts demos in one home; the first was started on a port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken, starting() as start:
        yield start, start("--demo", port=taken.getsockname()[1]), taken.getsockname()[1]


def test_a_demo_takes_the_next_free_port(demo):
    _start, one, port = demo
    address = one.wait_for("serving")[0]["address"]
    assert address != f"http://127.0.0.1:{port}"
    assert one.wait_for("draft")


def test_each_process_gets_the_secrets_that_it_needs_and_no_others(demo):
    _start, one, _port = demo
    one.wait_for("draft")
    found = {name: set() for name in HELD}
    keys = {}
    for child in psutil.Process(one.process.pid).children():
        words = " ".join(words_of(child))
        name = next((name for mark, name in MARKS.items() if mark in words), words)
        if "pigi demo" in name:  # it ends by itself, now or soon
            continue
        for process in (child, *child.children(recursive=True)):
            told = environment_of(process.pid)
            found[name] |= {value for value in WHAT if f"secret-{value}" in " ".join(told.values())}
            keys[name] = told.get("ANTHROPIC_API_KEY")
    assert found == HELD
    assert {name for name, key in keys.items() if key == "stand-in"} == {"worker-ai"}


MARKS = {
    "web.server": "web",
    "quick@": "worker-quick",
    "ai@": "worker-ai",
    "slow@": "worker-slow",
    " beat": "beat",
    "redis": "redis",
    **{name: name for name in HELD if name.startswith("standins")},
}
WHAT = ("ring", "aws", "pg", "token")


def environment_of(pid):
    """As the kernel shows it to whoever owns the process."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def test_the_main_job_then_deaths_then_a_clean_stop_and_all_again_in_the_same_home(demo):
    up, first, _port = demo
    draft = first.wait_for("draft")[0]
    assert draft["name"] == "code-reviewer"
    assert draft["draft"]["instructions"]
    assert [move["state"] for move in first.events("move")] == ["queued", "running", "succeeded"]
    key = first.wait_for("serving", count=2)[1]["key"]
    ready = len(first.events("ready"))
    for words in (("web.server",), ("celery", "ai@%h"), ("celery", "beat")):
        os.kill(first.of(*words), signal.SIGKILL)
    first.wait_for("died", count=3)
    first.wait_for("ready", count=ready + 3)
    host, port = first.events("serving")[0]["address"].removeprefix("http://").split(":")
    assert get_json(host, int(port), "/healthz")[0] == 200
    family = first.family()
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(60) == 0
    assert not any(runs(pid) for pid in family)
    assert first.errors.read_text() == ""

    first.output.unlink()
    second = up("--demo")
    second.wait_for("draft")
    assert second.wait_for("serving", count=2)[1]["key"] == key
    check_that_another_is_told(second)
    check_that_nothing_outlives(second)


def check_that_another_is_told(running):
    other = Up(running.home)
    assert other.process.wait(60) == 1
    told = json.loads(other.errors.read_text())
    assert told["code"] == "cannot_start"
    assert f"http://127.0.0.1:{running.port}" in told["message"]
    assert get_json("127.0.0.1", running.port, "/healthz")[0] == 200


def check_that_nothing_outlives(running):
    """Not even a supervisor that was killed."""
    family = running.family()
    running.process.kill()
    running.process.wait()
    until(lambda: not any(runs(pid) for pid in family), "the end of all children")


def test_a_taken_port_is_named_with_a_free_one(up):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = up(port=port)
        assert one.process.wait(60) == 1
    told = json.loads(one.errors.read_text())["message"]
    assert f"port {port} on 127.0.0.1 is taken" in told
    assert "PIGI_PORT=" in told
