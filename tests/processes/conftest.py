"""A supervisor in a process of its own, over programs that write down what happens to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120

SUPERVISE = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from pigi.errors import PigiError
from pigi.processes.logs import Logs
from pigi.processes.program import Program, Stage
from pigi.processes.supervisor import Supervisor

rows = json.loads(sys.argv[2])
programs = [Program(**{**row, "stage": Stage[row["stage"]], "argv": tuple(row["argv"])}) for row in rows]
try:
    Supervisor(programs, Logs(Path(sys.argv[1])), lambda event: print(json.dumps(asdict(event)), flush=True)).run()
except PigiError as error:
    print(json.dumps({"kind": "failed", "text": str(error)}), flush=True)
    sys.exit(1)
"""

PROGRAM = """
import os, signal, subprocess, sys, time
name, trace, manner = sys.argv[1:4]

def note(what):
    with open(trace, "a") as lines:
        lines.write(f"{what} {name} {os.getpid()}\\n")

def stop(*_):
    note("stopped")
    sys.exit(0)

signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "stubborn" else stop)
if manner == "parent":
    subprocess.Popen([sys.executable, __file__, name + "-child", trace, "stubborn"])
note("started")
if manner == "short":
    sys.exit(3)
while True:
    time.sleep(0.05)
"""


def until(condition, what, retry_window=PATIENCE):
    """The first true value of ``condition``; fails with ``what`` after two minutes."""
    deadline = time.monotonic() + retry_window
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    pytest.fail(f"never came about: {what}")
    return None


def runs(pid):
    """Whether a process runs; one that ended and waits to be collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def words_of(process):
    """The words of a process's command; none of one that has ended, be it between two looks at it."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie, too
        return []


class Drill:
    """A supervisor over test programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trace = folder / "trace"
        self.trace.touch()
        self.script = folder / "program.py"
        self.script.write_text(PROGRAM)
        self.process = None

    def row(self, name, stage="WORKERS", manner="plain", **more):
        """A row of the table."""
        return {"name": name, "shown": name, "stage": stage, "argv": self.argv(name, manner), **more}

    def argv(self, name, manner="plain"):
        return [sys.executable, str(self.script), name, str(self.trace), manner]

    def start(self, *rows):
        """Start the supervisor."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(self.folder / "logs"), json.dumps(rows)],
            stdout=(self.folder / "events").open("wb"),
            cwd=ROOT,
        )
        return self

    def events(self, kind):
        """What it told of a kind so far."""
        lines = (self.folder / "events").read_text().splitlines()
        return [event for line in lines if (event := json.loads(line))["kind"] == kind]

    def pids(self, what, name):
        """The processes that noted ``what`` under a name, in order."""
        lines = [line.split() for line in self.trace.read_text().splitlines()]
        return [int(pid) for noted, who, pid in lines if (noted, who) == (what, name)]

    def started(self, name, times=1):
        """The pid of the program's ``times``-th start."""
        return until(lambda: self.pids("started", name)[times - 1 : times], f"start {times} of {name}")[0]

    def stop(self, number=signal.SIGTERM):
        """Signal the supervisor and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def clean(self):
        """Leave nothing behind, whatever the test found."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for line in self.trace.read_text().splitlines():
            pid = int(line.split()[2])
            if psutil.pid_exists(pid) and str(self.script) in words_of(psutil.Process(pid)):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def drill(tmp_path):
    made = Drill(tmp_path)
    yield made
    made.clean()
