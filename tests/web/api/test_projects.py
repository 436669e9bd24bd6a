"""Projects over HTTP: making, reading with ETags, changing with If-Match, archiving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.ids import new_id
from tests.support.contents import GITHUB_TOKEN
from tests.support.http import bearer

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client

SHOP = {"name": "Shop", "description": "What the shop runs on."}


@pytest.fixture
def projects(own: str) -> str:
    """Where the client's organisation has its projects."""
    return f"/api/v1/organisations/{own}/projects"


@pytest.fixture
def shop(client: Client, headers: dict[str, str], projects: str) -> Any:
    """A project, as the answer to its making showed it."""
    return client.post(projects, json=SHOP, headers=headers).json


def test_a_project_is_made_and_read(client: Client, headers: dict[str, str], projects: str, own: str) -> None:
    answer = client.post(projects, json=SHOP, headers=headers)
    assert answer.status_code == 201
    project = answer.json
    assert (project["name"], project["description"], project["state"]) == ("Shop", SHOP["description"], "active")
    assert (project["revision"], project["organisation_id"]) == (1, own)
    assert project["created_by"].startswith("api-key:")
    assert answer.headers["Location"] == project["links"]["self"] == f"{projects}/{project['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Cache-Control"] == "no-store"
    read = client.get(answer.headers["Location"], headers=headers)
    assert (read.json, read.headers["ETag"]) == (project, '"1"')


@pytest.mark.parametrize("known", ['"1"', 'W/"1"', '"7", "1"', "*"])
def test_what_the_client_knows_is_not_sent_again(
    client: Client, headers: dict[str, str], shop: Any, known: str
) -> None:
    answer = client.get(shop["links"]["self"], headers={**headers, "If-None-Match": known})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", '"1"')
    other = client.get(shop["links"]["self"], headers={**headers, "If-None-Match": '"2", garbage'})
    assert other.json == shop


def test_a_change_needs_the_revision_that_it_is_based_on(client: Client, headers: dict[str, str], shop: Any) -> None:
    path = shop["links"]["self"]
    missing = client.patch(path, json={"name": "Store"}, headers=headers)
    assert (missing.status_code, missing.json["code"]) == (428, "precondition_required")
    for stale in ('"2"', 'W/"1"', "1", ""):
        answer = client.patch(path, json={"name": "Store"}, headers={**headers, "If-Match": stale})
        assert (answer.status_code, answer.json["code"]) == (412, "precondition_failed")
    changed = client.patch(path, json={"name": "Store"}, headers={**headers, "If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (changed.json["name"], changed.json["description"]) == ("Store", SHOP["description"])
    unchanged = client.patch(path, json={"name": "Store"}, headers={**headers, "If-Match": "*"})
    assert (unchanged.json, unchanged.headers["ETag"]) == (changed.json, '"2"')


def test_archived_projects_are_listed_only_if_asked_for(
    client: Client, headers: dict[str, str], projects: str, shop: Any
) -> None:
    for _ in range(2):
        archived = client.post(shop["links"]["archive"], headers=headers)
        assert (archived.status_code, archived.json["state"]) == (200, "archived")
        assert archived.headers["ETag"] == '"1-archived"'
    assert client.get(projects, headers=headers).json == {
        "projects": [], "counts": {"active": 0, "archived": 1}, "next": None, "previous": None,
    }  # fmt: skip
    assert client.get(f"{projects}?state=archived", headers=headers).json["projects"] == [archived.json]
    refused = client.patch(shop["links"]["self"], json={"name": "x"}, headers={**headers, "If-Match": "*"})
    assert (refused.status_code, refused.json["code"]) == (409, "archived")
    for _ in range(2):
        back = client.post(shop["links"]["unarchive"], json={}, headers=headers)
        assert (back.status_code, back.json) == (200, shop)


def test_a_taken_name_is_a_conflict(client: Client, headers: dict[str, str], projects: str, shop: Any) -> None:
    taken = client.post(projects, json={"name": " SHOP "}, headers=headers)
    assert (taken.status_code, taken.json["code"]) == (409, "name_taken")
    client.post(shop["links"]["archive"], headers=headers)
    assert client.post(projects, json={"name": "shop"}, headers=headers).status_code == 201
    lost = client.post(shop["links"]["unarchive"], headers=headers)
    assert (lost.status_code, lost.json["code"]) == (409, "name_taken")


def test_lists_come_in_pages(client: Client, headers: dict[str, str], projects: str) -> None:
    made = [client.post(projects, json={"name": f"P{n}"}, headers=headers).json["id"] for n in range(5)]
    found, following, pages = [], f"{projects}?limit=2", 0
    while following:
        page = client.get(following, headers=headers).json
        found += [project["id"] for project in page["projects"]]
        following, pages = page["next"], pages + 1
    assert (found, pages) == (sorted(made, reverse=True), 3)


FLAWS: list[tuple[Any, str]] = [
    ({}, "/name"),
    ({"name": ""}, "/name"),
    ({"name": "x" * 121}, "/name"),
    ({"name": "a\nb"}, "/name"),
    ({"name": "x", "description": "x" * 2001}, "/description"),
    ({"name": "x", "description": None}, "/description"),
    ({"name": "x", "other": 1}, "/other"),
]


@pytest.mark.parametrize(("body", "pointer"), FLAWS)
def test_flaws_are_pointed_at(client: Client, headers: dict[str, str], projects: str, body: Any, pointer: str) -> None:
    answer = client.post(projects, json=body, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert [flaw["pointer"] for flaw in answer.json["errors"]] == [pointer]


def test_secrets_are_refused_by_their_own_code(client: Client, headers: dict[str, str], projects: str) -> None:
    answer = client.post(projects, json={"name": "x", "description": f"Use {GITHUB_TOKEN}"}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (422, "secret_found")
    assert answer.json["errors"][0]["pointer"] == "/description"
    assert GITHUB_TOKEN not in answer.text


def test_the_same_request_with_the_same_key_acts_once(
    client: Client, headers: dict[str, str], projects: str, application: Application
) -> None:
    keyed = {**headers, "Idempotency-Key": new_id()}
    first = client.post(projects, json=SHOP, headers=keyed)
    again = client.post(projects, json=SHOP, headers=keyed)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(client.get(projects, headers=headers).json["projects"]) == 1
    other = client.post(projects, json={"name": "Other"}, headers=keyed)
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    with application.control.autocommit() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM idempotency_key").all()
    assert "Shop" not in str(kept)


def test_a_change_is_repeated_safely_too(client: Client, headers: dict[str, str], shop: Any) -> None:
    keyed = {**headers, "Idempotency-Key": new_id(), "If-Match": '"1"'}
    first = client.patch(shop["links"]["self"], json={"name": "Store"}, headers=keyed)
    again = client.patch(shop["links"]["self"], json={"name": "Store"}, headers=keyed)
    assert (first.status_code, again.status_code, again.json) == (200, 200, first.json)
    based_on_another = {**keyed, "If-Match": '"2"'}
    other = client.patch(shop["links"]["self"], json={"name": "Store"}, headers=based_on_another)
    assert other.json["code"] == "idempotency_key_reused"


@pytest.mark.parametrize("project_id", ["01a213c1-9509-7264-840e-ddfc2ac0585c", "x", "%2e%2e"])
def test_what_is_not_there_is_not_found(
    client: Client, headers: dict[str, str], projects: str, project_id: str
) -> None:
    for method, path in (("get", ""), ("patch", ""), ("post", "/archive"), ("post", "/unarchive")):
        options = {} if method == "get" else {"json": {}}
        answer = getattr(client, method)(
            f"{projects}/{project_id}{path}", headers={**headers, "If-Match": "*"}, **options
        )
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_without_a_key_nothing_is_shown(client: Client, projects: str, shop: Any) -> None:
    for path in (projects, shop["links"]["self"]):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=bearer("pigi_x_y")).status_code == 401
