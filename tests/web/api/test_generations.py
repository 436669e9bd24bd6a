"""Asking for a draft and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.http import BODY

if TYPE_CHECKING:
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
