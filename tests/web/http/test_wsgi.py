"""What the server loads: lazily, and without the weight of what only workers need."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.http import ROOT, Client
from web.http import budget

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("anthropic", "stripe", "alembic", "celery", "tasks", "worker", "schedules.beat", "pigi.gateways")


def test_web_loads_nothing_that_only_workers_need(tmp_path: Path) -> None:
    program = f"import sys, web.wsgi; web.wsgi.app; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PIGI_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_ordinary_requests_have_threads_of_their_own() -> None:
    assert budget.THREADS - budget.STREAMS - budget.WAITS >= budget.ORDINARY


def test_places_are_few_and_come_back() -> None:
    places = budget.Slots(2, 1)
    place = places.take("here")
    assert place is not None
    assert places.take("here") is None
    assert places.take("there") is not None
    assert places.take("elsewhere") is None
    place.give_back()
    place.give_back()
    assert places.free == 1


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_a_head_request_gets_headers_only(client: Client, headers: dict[str, str]) -> None:
    answer = client.head("/api/v1/jobs", headers=headers)

    assert (answer.status_code, answer.data) == (200, b"")
