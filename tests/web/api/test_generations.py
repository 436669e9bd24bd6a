"""Asking for a draft and reading it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.http import BODY
from tests.support.jobs import change

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client


def test_a_request_is_answered_with_a_job(client: Client, headers: dict[str, str], asking: str, own: str) -> None:
    answer = client.post(asking, json=BODY, headers=headers)

    assert answer.status_code == 202
    job = answer.json
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert answer.headers["Retry-After"] == "1"
    assert (job["state"], job["organisation_id"], job["kind"]) == ("queued", own, "generations.draft")
    assert client.get(answer.headers["Location"], headers=headers).json == job


def test_a_generation_can_be_read_while_it_waits(client: Client, headers: dict[str, str], asking: str) -> None:
    job = client.post(asking, json=BODY, headers=headers).json

    generation = client.get(job["links"]["result"], headers=headers).json

    assert (generation["name"], generation["resource"], generation["draft"]) == ("reviewer", "agent", None)
    assert "purpose" not in generation


def test_a_generation_that_waits_for_its_provider_says_until_when(
    client: Client, application: Application, headers: dict[str, str], asking: str
) -> None:
    job = client.post(asking, json=BODY, headers=headers).json
    change(application.control, job["id"], state="retrying", reason="provider_busy", due_at=timedelta(minutes=1))

    job = client.get(job["links"]["self"], headers=headers).json
    generation = client.get(job["links"]["result"], headers=headers).json

    assert job["next_try_at"] == job["due_at"] == generation["next_try_at"]
    assert (generation["state"], generation["reason"]) == ("retrying", "provider_busy")
    assert generation["explanation"]["advice"].startswith("Nothing: it is tried again by itself, next at ")
