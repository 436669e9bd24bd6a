"""The command line as a user meets it: a process with an environment, an exit code and two streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from tests.cli.forked import run

ROOT = Path(__file__).resolve().parents[2]


class Pigi:
    """Runs `pigi` in a home of its own: each command once with an interpreter of its own, then in a copy."""

    known: ClassVar[set[str]] = set()

    def __init__(self, home):
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PIGI_HOME": str(home / "var"),
            "PYTHONPATH": str(ROOT),
        }

    def __call__(self, *words, stdin="", **environment):
        environment = {**self.environment, **environment}
        if words[0] in self.known:
            return run(list(words), environment, stdin)
        self.known.add(words[0])
        return subprocess.run(
            [sys.executable, "-m", "pigi", *words],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture
def pigi(tmp_path):
    return Pigi(tmp_path)
