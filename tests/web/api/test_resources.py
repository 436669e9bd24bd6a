"""Resources over HTTP: the four collections, their revisions, and what is refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from pigi.domain.limits import CONTENT_BYTES
from pigi.ids import new_id
from tests.support.contents import AGENT, CONTENTS, DOCUMENT, GITHUB_TOKEN, MCP_SERVER
from web.api.resources.routes import COLLECTIONS, ROUTES, SEGMENTS
from web.http.requests import MOST_BYTES

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.http import Client

MARKER = "marker-7f3a9c"


@pytest.fixture
def project(client: Client, headers: dict[str, str], own: str) -> Any:
    """A project of the client's organisation."""
    return client.post(f"/api/v1/organisations/{own}/projects", json={"name": "Shop"}, headers=headers).json


@pytest.fixture
def documents(project: Any) -> str:
    """Where that project's documents are."""
    return str(project["links"]["documents"])


@pytest.fixture
def document(client: Client, headers: dict[str, str], documents: str) -> Any:
    """A document of it."""
    return client.post(documents, json=DOCUMENT, headers=headers).json


def bodied(body: str) -> dict[str, Any]:
    return {**DOCUMENT, "body": body}


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.kind)
def test_a_resource_of_each_kind_is_made_read_listed_and_replaced(
    client: Client, headers: dict[str, str], project: Any, collection: Any
) -> None:
    path = f"{project['links']['self']}/{SEGMENTS[collection.kind]}"
    content = CONTENTS[collection.kind]
    answer = client.post(path, json=content, headers=headers)
    assert answer.status_code == 201
    made = answer.json
    assert (made["content"], made["kind"], made["revision"], made["findings"]) == (content, collection.kind, 1, [])
    assert answer.headers["Location"] == made["links"]["self"] == f"{path}/{made['id']}"
    collection.shown.model_validate_json(answer.data)
    assert client.get(answer.headers["Location"], headers=headers).json == made
    (listed,) = client.get(path, headers=headers).json["resources"]
    assert listed == {name: value for name, value in made.items() if name not in {"content", "findings"}}
    changed = {**content, "description": "Another."} if "description" in content else bodied("Another.")
    put = client.put(f"{path}/{made['id']}", json=changed, headers={**headers, "If-Match": '"1"'})
    assert (put.status_code, put.headers["ETag"], put.json["content"]) == (200, '"2"', changed)
    revisions = client.get(made["links"]["revisions"], headers=headers).json
    assert [revision["number"] for revision in revisions["revisions"]] == [2, 1]
    first = client.get(f"{made['links']['revisions']}/1", headers=headers)
    assert (first.json["content"], first.json["origin"], first.headers["ETag"]) == (content, "written", '"1"')
    collection.revision.model_validate_json(first.data)


def test_every_link_of_a_project_leads_to_a_collection(client: Client, headers: dict[str, str], project: Any) -> None:
    for name in ("agents", "mcp_servers", "documents", "settings"):
        answer = client.get(project["links"][name], headers=headers)
        assert answer.json["resources"] == []
        assert answer.json["counts"] == {"active": 0, "archived": 0}


def test_what_the_client_knows_is_not_sent_again(client: Client, headers: dict[str, str], document: Any) -> None:
    for path in (document["links"]["self"], f"{document['links']['revisions']}/1"):
        answer = client.get(path, headers={**headers, "If-None-Match": 'W/"1"'})
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", '"1"')


def test_the_tag_of_what_is_archived_is_another(client: Client, headers: dict[str, str], document: Any) -> None:
    archived = client.post(document["links"]["archive"], headers=headers)
    assert (archived.json["state"], archived.headers["ETag"]) == ("archived", '"1-archived"')
    read = client.get(document["links"]["self"], headers={**headers, "If-None-Match": '"1"'})
    assert read.json["state"] == "archived"


def test_a_change_needs_the_revision_that_it_is_based_on(
    client: Client, headers: dict[str, str], document: Any
) -> None:
    path = document["links"]["self"]
    missing = client.put(path, json=bodied("x"), headers=headers)
    assert (missing.status_code, missing.json["code"]) == (428, "precondition_required")
    for stale in ('"2"', 'W/"1"', "1", "", '"1-archived"'):
        answer = client.put(path, json=bodied("x"), headers={**headers, "If-Match": stale})
        assert (answer.status_code, answer.json["code"]) == (412, "precondition_failed")
    for number, fresh in enumerate(('"1"', '"9", "2"', "*"), start=2):
        answer = client.put(path, json=bodied(f"{number}"), headers={**headers, "If-Match": fresh})
        assert (answer.status_code, answer.json["revision"]) == (200, number)


def test_a_put_of_what_is_there_makes_no_revision(client: Client, headers: dict[str, str], document: Any) -> None:
    answer = client.put(document["links"]["self"], json=document["content"], headers={**headers, "If-Match": '"1"'})
    assert (answer.status_code, answer.json, answer.headers["ETag"]) == (200, document, '"1"')


def test_of_two_puts_at_once_one_wins(app: Flask, headers: dict[str, str], document: Any) -> None:
    gate = Barrier(2)

    def put(number: int) -> int:
        client: Client = app.test_client()
        gate.wait()
        known = {**headers, "If-Match": '"1"'}
        return int(client.put(document["links"]["self"], json=bodied(f"{number}"), headers=known).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(put, range(2))) == [200, 412]


def test_warnings_are_said_with_the_resource(client: Client, headers: dict[str, str], project: Any) -> None:
    answer = client.post(project["links"]["agents"], json={**AGENT, "tools": []}, headers=headers)
    (finding,) = answer.json["findings"]
    assert (finding["rule"], finding["level"], finding["pointer"]) == ("inherits-all-tools", "warning", "/tools")


REFUSED: list[tuple[Any, str, str]] = [
    ({**DOCUMENT, "titel": MARKER}, "invalid", "/titel"),
    ({**DOCUMENT, "body": 3}, "invalid", "/body"),
    ({"body": MARKER}, "invalid", "/title"),
    ([MARKER], "invalid", ""),
    ({**DOCUMENT, "applies_to": [f"/{MARKER}"]}, "invalid", "/applies_to/0"),
    ({**DOCUMENT, "body": f"{MARKER} {GITHUB_TOKEN}"}, "secret_found", "/body"),
]


@pytest.mark.parametrize(("body", "code", "pointer"), REFUSED)
def test_flaws_are_pointed_at_and_never_quoted(
    client: Client, headers: dict[str, str], documents: str, document: Any, body: Any, code: str, pointer: str
) -> None:
    for answer in (
        client.post(documents, json=body, headers=headers),
        client.put(document["links"]["self"], json=body, headers={**headers, "If-Match": "*"}),
    ):
        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert [flaw["pointer"] for flaw in answer.json["errors"]] == [pointer]
        assert MARKER not in answer.text


def test_a_secret_comes_back_with_the_offer_of_a_slot(client: Client, headers: dict[str, str], project: Any) -> None:
    content = json.loads(json.dumps(MCP_SERVER))
    content["transport"]["environment"].append({"kind": "plain", "name": "API_KEY", "value": "hunter2-hunter2"})
    answer = client.post(project["links"]["mcp_servers"], json=content, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "secret_found")
    (flaw,) = answer.json["errors"]
    assert (flaw["pointer"], flaw["slot"]) == ("/transport/environment/2/value", "/transport/environment/2")
    assert "hunter2" not in answer.text
    slot = {"name": "API_KEY", "purpose": "Reads issues.", "set_by": "administrator"}
    content["transport"]["environment"][2] = {"kind": "secret", "name": "API_KEY", "slot": slot}
    assert client.post(project["links"]["mcp_servers"], json=content, headers=headers).status_code == 201


@pytest.mark.parametrize("raw", [b"", b"{", b'{"title":1,"title":2}', b"\xff", b'{"title":NaN}'])
def test_what_is_no_json_is_refused(client: Client, headers: dict[str, str], documents: str, raw: bytes) -> None:
    answer = client.post(documents, data=raw, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (400, "malformed_body")
    plain = client.post(documents, data=raw or b"x", content_type="text/plain", headers=headers)
    assert (plain.status_code, plain.json["code"]) == (415, "media_type_unsupported")


def test_content_may_be_larger_than_other_bodies(
    client: Client, headers: dict[str, str], own: str, documents: str
) -> None:
    body = "🐘" * 49_000
    sent = json.dumps(bodied(body), ensure_ascii=False).encode()
    assert MOST_BYTES < len(sent) < CONTENT_BYTES
    made = client.post(documents, data=sent, content_type="application/json", headers=headers)
    assert made.json["content"]["body"] == body
    known = {**headers, "If-Match": "*"}
    put = client.put(made.json["links"]["self"], data=sent, content_type="application/json", headers=known)
    assert put.status_code == 200
    projects = f"/api/v1/organisations/{own}/projects"
    for path, most, size in ((documents, CONTENT_BYTES, "7 MiB"), (projects, MOST_BYTES, "64 KiB")):
        answer = client.post(path, data=b" " * (most + 1), content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
        assert answer.json["detail"] == f"Send at most {size} here."
        fits = client.post(path, data=b" " * most, content_type="application/json", headers=headers)
        assert fits.json["code"] == "malformed_body"


def test_what_is_read_can_be_sent_back_by_any_encoder(client: Client, headers: dict[str, str], documents: str) -> None:
    sent = json.dumps(bodied("🐘" * 200_000), ensure_ascii=False).encode()
    place = client.post(documents, data=sent, content_type="application/json", headers=headers).json["links"]["self"]
    read = client.get(place, headers=headers)
    escaped = json.dumps(read.json["content"], ensure_ascii=True, indent=4).encode()
    known = {**headers, "If-Match": read.headers["ETag"]}
    put = client.put(place, data=escaped, content_type="application/json", headers=known)
    assert (put.status_code, put.json["revision"]) == (200, 1)
    assert len(escaped) < CONTENT_BYTES


def test_archiving_and_bringing_back(client: Client, headers: dict[str, str], documents: str, document: Any) -> None:
    for _ in range(2):
        archived = client.post(document["links"]["archive"], json={}, headers=headers)
        assert (archived.status_code, archived.json["content"]) == (200, DOCUMENT)
    assert client.get(documents, headers=headers).json["resources"] == []
    listed = client.get(f"{documents}?state=archived", headers=headers).json["resources"]
    assert [resource["id"] for resource in listed] == [document["id"]]
    put = client.put(document["links"]["self"], json=bodied("x"), headers={**headers, "If-Match": "*"})
    assert (put.status_code, put.json["code"]) == (409, "archived")
    assert client.get(f"{document['links']['revisions']}/1", headers=headers).json["content"] == DOCUMENT
    other = client.post(documents, json=DOCUMENT, headers=headers)
    assert other.status_code == 201
    lost = client.post(document["links"]["unarchive"], headers=headers)
    assert (lost.status_code, lost.json["code"]) == (409, "name_taken")
    client.post(other.json["links"]["archive"], headers=headers)
    back = client.post(document["links"]["unarchive"], headers=headers)
    assert (back.status_code, back.json) == (200, document)


def test_nothing_changes_in_an_archived_project(
    client: Client, headers: dict[str, str], project: Any, documents: str, document: Any
) -> None:
    client.post(project["links"]["archive"], headers=headers)
    for answer in (
        client.post(documents, json={**DOCUMENT, "title": "Other"}, headers=headers),
        client.put(document["links"]["self"], json=bodied("x"), headers={**headers, "If-Match": "*"}),
        client.post(document["links"]["archive"], headers=headers),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "archived")
    assert client.get(document["links"]["self"], headers=headers).json == document


def test_lists_and_revisions_come_in_pages(
    client: Client, headers: dict[str, str], documents: str, document: Any
) -> None:
    client.post(documents, json={**DOCUMENT, "title": "Other"}, headers=headers)
    first = client.get(f"{documents}?limit=1", headers=headers).json
    second = client.get(first["next"], headers=headers).json
    assert [page["resources"][0]["name"] for page in (first, second)] == ["Other", DOCUMENT["title"]]
    assert second["next"] is None
    for number in range(2, 5):
        client.put(document["links"]["self"], json=bodied(f"{number}"), headers={**headers, "If-Match": "*"})
    page = client.get(f"{document['links']['revisions']}?limit=3", headers=headers).json
    rest = client.get(page["next"], headers=headers).json
    assert [[each["number"] for each in found["revisions"]] for found in (page, rest)] == [[4, 3, 2], [1]]


def test_the_same_request_with_the_same_key_acts_once(
    client: Client, headers: dict[str, str], documents: str, document: Any
) -> None:
    keyed = {**headers, "Idempotency-Key": new_id()}
    body = {**DOCUMENT, "title": "Other"}
    first, again = (client.post(documents, json=body, headers=keyed) for _ in range(2))
    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    put = {**headers, "Idempotency-Key": new_id(), "If-Match": '"1"'}
    first, again = (client.put(document["links"]["self"], json=bodied("x"), headers=put) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json == again.json
    assert first.json["revision"] == 2


def test_a_refused_request_may_be_corrected_under_its_key(
    client: Client, headers: dict[str, str], documents: str
) -> None:
    keyed = {**headers, "Idempotency-Key": new_id()}
    assert client.post(documents, json={}, headers=keyed).status_code == 422
    assert client.post(documents, json=DOCUMENT, headers=keyed).status_code == 201


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999999", "x", "-1", "1.0"])
def test_a_revision_that_is_not_there_is_not_found(
    client: Client, headers: dict[str, str], document: Any, number: str
) -> None:
    answer = client.get(f"{document['links']['revisions']}/{number}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_resource_is_found_in_its_own_collection_only(
    client: Client, headers: dict[str, str], project: Any, document: Any
) -> None:
    for wrong in ("agents", "mcp-servers", "settings"):
        path = f"{project['links']['self']}/{wrong}/{document['id']}"
        for found in ("", "/revisions", "/revisions/1"):
            assert client.get(f"{path}{found}", headers=headers).status_code == 404
        assert client.post(f"{path}/archive", headers=headers).status_code == 404
    assert client.get(f"{project['links']['self']}/documents/x", headers=headers).status_code == 404


def test_views_have_names_of_their_own() -> None:
    assert len({route.endpoint for route in ROUTES}) == len(ROUTES) == 36
