"""`pigi up` with all its programs, as a test starts and ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psutil
import pytest

from pigi.processes.addresses import any_free
from tests.processes.conftest import ROOT, runs, until, words_of


class Up:
    """A `pigi up --json` in a home of its own."""

    def __init__(self, home, *words, port=None, **environment):
        self.home = home
        self.port = port or any_free()
        chosen = {"PIGI_HOME": str(home), "PIGI_PORT": str(self.port), "PYTHONPATH": str(ROOT), **environment}
        self.output = home / "output"
        self.errors = home / "errors"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pigi", "up", "--json", *words],
            stdout=self.output.open("ab"),
            stderr=self.errors.open("ab"),
            env={**os.environ, **chosen},
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
        children = psutil.Process(self.process.pid).children()
        return next(child.pid for child in children if set(words) <= set(words_of(child)))

    def end(self):
        """Stop it, by force if need be; nothing of it runs after this."""
        if self.process.poll() is None:
            family = self.family()
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            until(lambda: not any(runs(pid) for pid in family), "the end of the family")
