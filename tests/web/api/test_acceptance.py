"""Accepting and discarding drafts over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from pigi.clock import now
from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.generations import GENERATION
from tests.support.contents import AGENT, GITHUB_TOKEN
from tests.support.http import BODY

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from tests.support.http import Client

    Drafted = Callable[[dict[str, Any]], str]


@pytest.fixture
def project(client: Client, headers: dict[str, str], own: str) -> Any:
    """A project of the client's organisation."""
    return client.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}, headers=headers).json


@pytest.fixture
def drafted(application: Application, client: Client, headers: dict[str, str], asking: str, own: str) -> Drafted:
    """Makes a generation with a draft, as a worker would; its path."""

    def make(draft: dict[str, Any]) -> str:
        job = client.post(asking, json=BODY, headers=headers).json
        subject = job["subject_id"]
        with application.tenants.session(own) as tenant:
            sealed = tenant.sealer.seal(json.dumps(draft), "generation", "draft", subject)
            values = {"draft": sealed, "findings": "[]", "instruction": "agent-1", "model": "m", "drafted_at": now()}
            tenant.connection().execute(update(GENERATION).where(GENERATION.c.id == subject).values(**values))
        with application.control.autocommit() as connection:
            connection.execute(update(JOB).where(JOB.c.id == job["id"]).values(state="succeeded"))
        return f"{asking}/{subject}"

    return make


def test_an_accepted_draft_is_a_new_resource(
    client: Client, headers: dict[str, str], project: Any, drafted: Drafted
) -> None:
    generation = client.get(drafted(AGENT), headers=headers).json
    answer = client.post(generation["links"]["accept"], json={"project": project["id"]}, headers=headers)
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert (answer.json["content"], answer.json["kind"]) == (AGENT, "agent")
    assert client.get(answer.headers["Location"], headers=headers).json == answer.json
    (revision,) = client.get(answer.json["links"]["revisions"], headers=headers).json["revisions"]
    assert (revision["origin"], revision["instruction"], revision["model"]) == ("generated", "agent-1", "m")


def test_it_leaves_the_generation_and_is_accepted_once(
    client: Client, headers: dict[str, str], project: Any, drafted: Drafted
) -> None:
    path, body = drafted(AGENT), {"project": project["id"]}
    assert client.post(f"{path}/accept", json=body, headers=headers).status_code == 201
    assert client.get(path, headers=headers).json["draft"] is None
    again = client.post(f"{path}/accept", json=body, headers=headers)
    assert (again.status_code, again.json["code"]) == (409, "draft_gone")


def test_a_repeat_with_its_key_gets_the_same_answer(
    client: Client, headers: dict[str, str], project: Any, drafted: Drafted
) -> None:
    path, body = drafted(AGENT), {"project": project["id"]}
    keyed = {**headers, "Idempotency-Key": new_id()}
    first, again = (client.post(f"{path}/accept", json=body, headers=keyed) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert again.headers["Location"] == first.headers["Location"]


def test_it_may_be_edited_and_renamed(client: Client, headers: dict[str, str], project: Any, drafted: Drafted) -> None:
    client.post(project["links"]["agents"], json=AGENT, headers=headers)
    path = drafted(AGENT)
    taken = client.post(f"{path}/accept", json={"project": project["id"]}, headers=headers)
    assert (taken.status_code, taken.json["code"], taken.json["errors"][0]["pointer"]) == (409, "name_taken", "/name")
    body = {"project": project["id"], "name": "second", "content": {**AGENT, "instructions": "Looks twice."}}
    made = client.post(f"{path}/accept", json=body, headers=headers)
    assert (made.status_code, made.json["name"], made.json["content"]["instructions"]) == (
        201,
        "second",
        "Looks twice.",
    )
    (revision,) = client.get(made.json["links"]["revisions"], headers=headers).json["revisions"]
    assert revision["origin"] == "generated_edited"


def test_it_may_replace_what_a_resource_was(
    client: Client, headers: dict[str, str], project: Any, drafted: Drafted
) -> None:
    known = client.post(project["links"]["agents"], json={**AGENT, "name": "older"}, headers=headers).json
    path, body = drafted(AGENT), {"project": project["id"], "resource": known["id"]}
    missing = client.post(f"{path}/accept", json=body, headers=headers)
    assert (missing.status_code, missing.json["code"]) == (428, "precondition_required")
    stale = client.post(f"{path}/accept", json=body, headers={**headers, "If-Match": '"2"'})
    assert (stale.status_code, stale.json["code"]) == (412, "precondition_failed")
    keyed = {**headers, "If-Match": '"1"', "Idempotency-Key": new_id()}
    first, again = (client.post(f"{path}/accept", json=body, headers=keyed) for _ in range(2))
    assert (first.status_code, first.headers["ETag"], first.json["id"]) == (200, '"2"', known["id"])
    assert (again.status_code, again.json, again.headers["Location"]) == (200, first.json, known["links"]["self"])


def test_a_draft_with_errors_stays_and_says_what_is_wrong(
    client: Client, headers: dict[str, str], project: Any, drafted: Drafted
) -> None:
    path = drafted({**AGENT, "tools": ["bypassPermissions"]})
    answer = client.post(f"{path}/accept", json={"project": project["id"]}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "draft_has_errors")
    assert [flaw["pointer"] for flaw in answer.json["errors"]] == ["/tools/0"]
    leaking = drafted({**AGENT, "instructions": GITHUB_TOKEN})
    answer = client.post(f"{leaking}/accept", json={"project": project["id"]}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "secret_found")
    assert client.get(path, headers=headers).json["draft"] is not None


def test_a_draft_that_is_not_ready_is_neither_accepted_nor_discarded(
    client: Client, headers: dict[str, str], project: Any, asking: str
) -> None:
    path = f"{asking}/{client.post(asking, json=BODY, headers=headers).json['subject_id']}"
    for verb, body in (("accept", {"project": project["id"]}), ("discard", {})):
        answer = client.post(f"{path}/{verb}", json=body, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (409, "draft_not_ready")


def test_discarding_may_be_repeated(client: Client, headers: dict[str, str], project: Any, drafted: Drafted) -> None:
    path = drafted(AGENT)
    keyed = {**headers, "Idempotency-Key": new_id()}
    for sent in (headers, headers, keyed, keyed):
        answer = client.post(f"{path}/discard", headers=sent)
        assert (answer.status_code, answer.data) == (204, b"")
    gone = client.post(f"{path}/accept", json={"project": project["id"]}, headers=headers)
    assert gone.json["code"] == "draft_gone"


def test_what_is_not_there_is_not_found(
    client: Client, headers: dict[str, str], project: Any, asking: str, drafted: Drafted
) -> None:
    path = drafted(AGENT)
    for wrong, body in (
        (path, {"project": new_id()}),
        (f"{asking}/{new_id()}", {"project": project["id"]}),
        (f"{asking}/x", {"project": project["id"]}),
        (path, {"project": project["id"], "resource": new_id()}),
    ):
        answer = client.post(f"{wrong}/accept", json=body, headers={**headers, "If-Match": "*"})
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    invalid = client.post(f"{path}/accept", json={"project": "x"}, headers=headers)
    assert (invalid.status_code, invalid.json["code"]) == (422, "invalid")
