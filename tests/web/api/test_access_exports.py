"""A person's own exports over HTTP: theirs alone, followed by their job, fetched with a session or by a signed link."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import EXPORT_ACCESS
from tasks import exports  # noqa: F401 - registers bodies
from tests.support.jobs import make_worker_context
from tests.support.people import make_account, sign_in

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
OWN = "/api/v1/me/exports"


def test_a_copy_is_asked_for_followed_and_fetched_by_its_person_alone(app: Flask, application: Application) -> None:
    person = make_account(application, "Ada Lund", "ada@example.com")
    browser, stranger = sign_in(app, application, person), sign_in(app, application, make_account(application))
    asked = browser.post(OWN, json={}, headers={"Idempotency-Key": "once"})
    again = browser.post(OWN, json={}, headers={"Idempotency-Key": "once"})
    job = asked.get_json()

    assert (asked.status_code, asked.headers["Location"]) == (202, f"/api/v1/jobs/{job['id']}")
    assert (again.get_json()["id"], again.headers["Idempotency-Replayed"]) == (job["id"], "true")
    export = f"{OWN}/{job['subject_id']}"
    assert job["links"]["result"] == export
    assert browser.get(export).get_json()["state"] == "preparing"
    assert browser.get(f"{export}/file").status_code == 409
    run(HANDLERS[EXPORT_ACCESS.name], job["id"], make_worker_context(application))

    assert browser.get(asked.headers["Location"]).get_json()["state"] == "succeeded"
    told = browser.get(export).get_json()
    assert (told["scope"], told["state"], told["links"]["job"]) == ("access", "ready", f"/api/v1/jobs/{job['id']}")
    file = browser.get(f"{export}/file")
    data = json.loads(zipfile.ZipFile(io.BytesIO(file.data)).read("data.json"))
    assert (file.content_type, data["person"]["email"]) == ("application/zip", "ada@example.com")
    assert file.headers["ETag"] == f'"{told["sha256"]}"'
    for path in (export, f"{export}/file", asked.headers["Location"]):
        assert stranger.get(path).status_code == 404
    assert stranger.get(OWN).get_json()["exports"] == []


def test_a_signed_link_opens_this_file_and_no_other(app: Flask, application: Application, client: Client) -> None:
    person = make_account(application)
    browser = sign_in(app, application, person)
    jobs = [browser.post(OWN, json={}).get_json() for _ in range(2)]
    for job in jobs:
        run(HANDLERS[EXPORT_ACCESS.name], job["id"], make_worker_context(application))
    first, second = (browser.get(f"{OWN}/{job['subject_id']}").get_json()["links"]["file"] for job in jobs)

    assert client.get(first).status_code == 200
    assert client.get(second.partition("?")[0] + "?" + first.partition("?")[2]).status_code == 401
    assert client.get(first.partition("?")[0]).status_code == 401


def test_the_page_shows_them(app: Flask, application: Application) -> None:
    browser = sign_in(app, application, make_account(application))
    assert "No copies yet" in browser.get("/account/exports").get_data(as_text=True)
    job = browser.post(OWN, json={}).get_json()
    run(HANDLERS[EXPORT_ACCESS.name], job["id"], make_worker_context(application))
    assert f"{OWN}/{job['subject_id']}/file" in browser.get("/account/exports").get_data(as_text=True)
