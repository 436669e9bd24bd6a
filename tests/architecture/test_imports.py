"""What may know what: directions of imports, and what a process loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import ROOT, python

HEAVY = ("anthropic", "stripe", "alembic", "pigi.gateways", "tasks", "worker")


def test_the_contracts_of_imports_are_kept():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("module", ["web.app", "schedules.app", "schedules.beat"])
def test_a_door_loads_no_vendors_sdk_and_no_task(module):
    loaded = python(f"import sys, {module}; print(*sys.modules, sep='\\n')").splitlines()
    assert module in loaded
    assert not [name for name in HEAVY if name in loaded]


def test_the_worker_loads_a_gateway_only_when_a_job_uses_it():
    assert python("import sys, worker.app; print('anthropic' in sys.modules)").strip() == "False"
