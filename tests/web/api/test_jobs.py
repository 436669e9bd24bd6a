"""Jobs over HTTP: reading, listing, cancelling, retrying; and who may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.api_keys import issue_key
from tests.support.factories import make_organisation
from tests.support.http import BODY, bearer

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client


@pytest.fixture
def job(client: Client, headers: dict[str, str], asking: str) -> Any:
    """A job that was asked for."""
    return client.post(asking, json=BODY, headers=headers).json


def end_badly(application: Application, job_id: str) -> None:
    """Leave a job as a worker leaves one that failed."""
    with application.control.autocommit() as connection:
        connection.execute(
            update(JOB)
            .where(JOB.c.id == job_id)
            .values(state="failed", reason="stalled", published_at=None, revision=JOB.c.revision + 1)
        )


def test_the_list_is_newest_first_and_in_pages(client: Client, headers: dict[str, str], asking: str) -> None:
    ids = [client.post(asking, json=BODY, headers=headers).json["id"] for _ in range(5)]

    first = client.get("/api/v1/jobs?limit=3&state=queued&kind=generations.draft", headers=headers).json
    second = client.get(first["next"], headers=headers).json

    assert [job["id"] for job in first["jobs"] + second["jobs"]] == ids[::-1]
    assert second["next"] is None
    assert "effects" not in first["jobs"][0]


def test_pages_lead_on_and_back_and_counts_tell_of_all_of_them(
    client: Client, headers: dict[str, str], asking: str
) -> None:
    ids = [client.post(asking, json=BODY, headers=headers).json["id"] for _ in range(5)]
    pages = [client.get("/api/v1/jobs?limit=2&counts=yes&sort=oldest", headers=headers).json]
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"], headers=headers).json)
    back = [client.get(page["previous"], headers=headers).json for page in pages[1:]]

    assert [[job["id"] for job in page["jobs"]] for page in pages] == [ids[:2], ids[2:4], ids[4:]]
    assert back == pages[:-1]
    assert pages[0]["previous"] is None
    assert pages[0]["counts"]["queued"] == 5
    assert sum(pages[0]["counts"].values()) == 5
    assert client.get("/api/v1/jobs", headers=headers).json["counts"] is None
    assert client.get("/api/v1/jobs?since=2031-01-01", headers=headers).json["jobs"] == []
    assert pages[0]["jobs"][0]["requested_by"].startswith("api-key:")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1&limit=2",
        "state=lost",
        "kind=%00",
        "before=1",
        "mine=1",
        "limit=%CB%A3",
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused(client: Client, headers: dict[str, str], query: str) -> None:
    answer = client.get(f"/api/v1/jobs?{query}", headers=headers)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["message"]


def test_a_waiting_job_is_cancelled_at_once(client: Client, headers: dict[str, str], job: Any) -> None:
    answer = client.post(job["links"]["cancel"], headers=headers)

    assert answer.status_code == 202
    assert (answer.json["state"], answer.json["explanation"]["title"]) == ("cancelled", "The job was cancelled.")
    assert client.post(job["links"]["cancel"], headers=headers).json["state"] == "cancelled"


def test_only_a_failed_job_is_retried(client: Client, headers: dict[str, str], job: Any) -> None:
    answer = client.post(job["links"]["retry"], json={"purpose": "Again."}, headers=headers)

    assert (answer.status_code, answer.json["code"]) == (409, "not_retryable")


def test_a_failed_generation_is_retried_with_its_purpose(
    application: Application, client: Client, headers: dict[str, str], job: Any
) -> None:
    end_badly(application, job["id"])

    bare = client.post(job["links"]["retry"], headers=headers)
    answer = client.post(job["links"]["retry"], json={"purpose": "Again."}, headers=headers)

    assert (bare.status_code, bare.json["code"]) == (422, "purpose_required")
    assert (answer.status_code, answer.json["id"], answer.json["state"]) == (202, job["id"], "queued")


def test_another_organisation_sees_nothing_and_opens_nothing(
    application: Application, client: Client, job: Any, asking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_organisation(application.control, application.tenants, "Another")
    headers = bearer(issue_key(application, other, "theirs"))
    opened: list[str] = []
    monkeypatch.setattr(type(application.tenants), "session", lambda _self, organisation: opened.append(organisation))
    monkeypatch.setattr(type(application.tenants), "read", lambda _self, organisation: opened.append(organisation))

    answers = [
        client.post(asking, json=BODY, headers=headers),
        client.get(job["links"]["result"], headers=headers),
        client.get(f"/api/v1/jobs?organisation={job['organisation_id']}", headers=headers),
        *(client.get(job["links"][link], headers=headers) for link in ("self", "events")),
        *(client.post(job["links"][link], headers=headers) for link in ("cancel", "retry")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 7
    assert not opened
    assert client.get("/api/v1/jobs", headers=headers).json["jobs"] == []


def test_what_has_no_identifier_s_form_is_not_looked_up(client: Client, headers: dict[str, str], own: str) -> None:
    for path in (
        "jobs/x",
        "jobs/..%2f",
        f"jobs/{own.upper()}",
        f"organisations/{own}/generations/%00",
        f"jobs/{new_id()}",
    ):
        assert client.get(f"/api/v1/{path}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer pigi_\u00e9", "Bearer " + "a" * 5000]
)
def test_a_request_without_a_valid_key_is_refused(client: Client, header: str) -> None:
    answer = client.get("/api/v1/jobs", headers={"Authorization": header})

    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
