"""Imports over HTTP: every way to send a file, and the limits of what may come."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from pigi.ids import new_id
from tests.support.imports import do_accept, do_read, document_of, project_of, resource_of
from web.server import bodies, limits

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from pigi.domain.access import Caller
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
FILE = document_of(project_of("Shop", resource_of("agent")))


@pytest.fixture
def path(own: str) -> str:
    """Where the client's organisation imports."""
    return f"/api/v1/organisations/{own}/imports"


def send(client: Client, path: str, headers: dict[str, str], data: Any = FILE, **others: Any) -> Any:
    """Upload a file as the body."""
    others.setdefault("content_type", "application/json")
    return client.post(path, data=data, headers=headers, **others)


def test_a_file_is_read_reviewed_and_accepted(
    application: Application, caller: Caller, client: Client, headers: dict[str, str], path: str
) -> None:
    answer = send(client, path, headers)
    assert (answer.status_code, answer.json["kind"]) == (202, "imports.read")
    one = answer.json["links"]["result"]
    found = client.get(one, headers=headers).json
    assert (found["state"], found["bytes"], found["report"]) == ("reading", len(FILE), None)
    assert client.post(f"{one}/accept", headers=headers).json["code"] == "import_not_ready"
    do_read(application, caller, found["id"])
    found = client.get(one, headers=headers).json
    assert (found["state"], found["report"]["created"]["resources"]) == ("ready", 1)
    job = client.post(found["links"]["accept"], headers=headers)
    assert (job.status_code, job.headers["Location"]) == (202, job.json["links"]["self"])
    assert client.post(found["links"]["accept"], headers=headers).json["id"] == job.json["id"]
    do_accept(application, job.json["id"])
    assert client.get(one, headers=headers).json["state"] == "accepted"
    assert client.post(found["links"]["discard"], headers=headers).json["code"] == "import_over"
    (listed,) = client.get(path, headers=headers).json["imports"]
    assert (listed["state"], listed["links"]["acceptance"]) == ("accepted", job.headers["Location"])


@pytest.mark.parametrize("content_type", ["application/json", "application/zip", "application/octet-stream"])
def test_what_the_body_is_called_does_not_matter(
    client: Client, headers: dict[str, str], path: str, content_type: str
) -> None:
    assert send(client, path, headers, content_type=content_type).status_code == 202


def test_a_form_may_bring_it(
    application: Application, caller: Caller, client: Client, headers: dict[str, str], path: str
) -> None:
    form = {"note": "x", "file": (io.BytesIO(FILE), "export.json")}
    answer = client.post(path, data=form, headers=headers)
    assert answer.status_code == 202
    assert do_read(application, caller, answer.json["subject_id"]).size == len(FILE)


@pytest.mark.parametrize("form", [{"note": "x"}, {"a": (io.BytesIO(b"1"), "a"), "b": (io.BytesIO(b"2"), "b")}])
def test_a_form_without_one_file_is_refused(client: Client, headers: dict[str, str], path: str, form: Any) -> None:
    answer = client.post(path, data=form, headers=headers, content_type="multipart/form-data")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")


@pytest.mark.parametrize(
    ("content_type", "code"),
    [("text/plain", "media_type_unsupported"), ("multipart/form-data; boundary=x", "malformed_body")],
)
def test_what_is_no_file_is_refused(
    application: Application, client: Client, headers: dict[str, str], path: str, content_type: str, code: str
) -> None:
    assert send(client, path, headers, content_type=content_type).json["code"] == code
    assert list(application.files.find("organisations")) == []


def test_a_large_file_is_refused_before_it_is_read_or_while_it_comes(
    application: Application, client: Client, headers: dict[str, str], path: str
) -> None:
    smaller = application.settings.model_copy(update={"import_bytes": 100})
    object.__setattr__(application, "settings", smaller)
    announced = send(client, path, headers)
    streamed = send(client, path, headers, io.BytesIO(FILE), environ_overrides={"wsgi.input_terminated": True})
    form = client.post(path, data={"file": (io.BytesIO(FILE), "a")}, headers=headers)
    for answer in (announced, streamed, form):
        assert (answer.status_code, answer.json["code"], answer.json["limit"]) == (413, "import_too_large", 100)
    assert list(application.files.find("organisations")) == []


def test_a_body_that_stalls_is_given_up(
    application: Application, client: Client, headers: dict[str, str], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READ_SECONDS", 0)
    overrides = {"wsgi.input": bodies.ComingBody(lambda: None), "CONTENT_LENGTH": "9"}
    answer = client.post(path, headers=headers, content_type="application/json", environ_overrides=overrides)
    assert (answer.status_code, answer.json["code"]) == (408, "body_too_slow")
    assert list(application.files.find("organisations")) == []


def test_one_organisation_does_not_take_all_the_slots(
    app: Flask, client: Client, headers: dict[str, str], own: str, path: str
) -> None:
    receiver = app.extensions["pigi"].uploads
    with receiver.slot(own, "a"), receiver.slot(own, "b"):
        busy = send(client, path, headers)
        assert (busy.status_code, busy.json["code"], busy.headers["Retry-After"]) == (429, "uploads_busy", "30")
        with receiver.slot("another", "a"):
            pass
    assert send(client, path, headers).status_code == 202


def test_a_repeat_is_answered_as_before_and_uploads_nothing(client: Client, headers: dict[str, str], path: str) -> None:
    keyed = {**headers, "Idempotency-Key": new_id()}
    first, second = send(client, path, keyed), send(client, path, keyed)
    assert (first.json["id"], second.headers["Idempotency-Replayed"]) == (second.json["id"], "true")
    assert len(client.get(path, headers=headers).json["imports"]) == 1
