"""API keys over HTTP: told once, rotated with an overlap, ended at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.clock import now
from pigi.domain.access import Role
from tests.support.factories import make_organisation
from tests.support.http import BODY, bearer
from tests.support.people import make_account, make_key_row, make_member, sign_in

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

ASKED = {"label": "pipeline", "scopes": ["generations:write"], "days": 30}


@pytest.fixture
def browser(app: Flask, application: Application, own: str) -> Client:
    """The browser of an admin."""
    return sign_in(app, application, make_member(application, own, Role.ADMIN, name="Aron"))


@pytest.fixture
def place(own: str) -> str:
    """Where the organisation's keys are."""
    return f"/api/v1/organisations/{own}/api-keys"


def without_key(issued: Any) -> Any:
    """The key as the list shows it."""
    return {name: value for name, value in issued.items() if name != "key"}


def test_a_key_is_told_once_and_opens_what_its_scopes_say(
    browser: Client, client: Client, place: str, own: str, asking: str
) -> None:
    made = browser.post(place, json=ASKED)
    assert (made.status_code, made.headers["Location"]) == (201, f"{place}/{made.json['id']}")
    assert (made.json["state"], made.json["created_by_name"], made.json["replaces"]) == ("active", "Aron", None)
    listed = browser.get(place)
    assert listed.json == {"api_keys": [without_key(made.json)]}
    assert made.json["key"] not in listed.get_data(as_text=True)
    headers = bearer(made.json["key"])
    assert client.post(asking, json=BODY, headers=headers).status_code == 202
    assert client.get(f"/api/v1/organisations/{own}/projects", headers=headers).json["code"] == "forbidden"
    assert client.get(place, headers=headers).json["code"] == "forbidden"
    assert browser.get(place).json["api_keys"][0]["last_used_on"] == now().date().isoformat()


@pytest.mark.parametrize("act", ["", "/rotate"])
def test_a_repeat_makes_no_second_key_and_tells_no_secret(
    browser: Client, application: Application, place: str, own: str, act: str
) -> None:
    path = f"{place}/{make_key_row(application, own)[0]}{act}" if act else place
    body, keyed = {} if act else ASKED, {"Idempotency-Key": "one"}
    first = browser.post(path, json=body, headers=keyed)
    again = browser.post(path, json=body, headers=keyed)
    assert (again.status_code, again.headers["Location"]) == (201, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json["key"].startswith("pigi_")
    assert again.json == {**first.json, "key": None}
    assert len(browser.get(place).json["api_keys"]) == (2 if act else 1)


def test_rotating_keeps_label_and_scopes_and_both_open(
    browser: Client, client: Client, place: str, asking: str
) -> None:
    old = browser.post(place, json=ASKED).json
    new = browser.post(f"{place}/{old['id']}/rotate", json={"days": 60, "overlap_days": 3}).json
    assert (new["label"], new["scopes"], new["replaces"]) == (old["label"], old["scopes"], old["id"])
    assert [client.post(asking, json=BODY, headers=bearer(one["key"])).status_code for one in (old, new)] == [202, 202]
    listed = {one["id"]: one for one in browser.get(place).json["api_keys"]}
    assert listed[old["id"]]["expires_at"] < old["expires_at"] < new["expires_at"]


def test_a_revoked_key_is_refused_at_once_and_not_rotated(
    browser: Client, client: Client, place: str, asking: str
) -> None:
    made = browser.post(place, json=ASKED).json
    for _ in range(2):
        assert browser.delete(f"{place}/{made['id']}").status_code == 204
    assert client.post(asking, json=BODY, headers=bearer(made["key"])).status_code == 401
    refused = browser.post(f"{place}/{made['id']}/rotate", json={})
    assert (refused.status_code, refused.json["code"]) == (409, "key_over")


def test_a_key_has_one_successor_at_a_time(browser: Client, place: str) -> None:
    old = browser.post(place, json=ASKED).json
    new = browser.post(f"{place}/{old['id']}/rotate", json={"overlap_days": 3}).json
    ends = next(one["expires_at"] for one in browser.get(place).json["api_keys"] if one["id"] == old["id"])
    refused = browser.post(f"{place}/{old['id']}/rotate", json={})
    assert (refused.status_code, refused.json["code"]) == (409, "key_rotated")
    assert (refused.json["successor"], refused.json["until"]) == (new["id"], ends)
    assert len(browser.get(place).json["api_keys"]) == 2
    assert browser.delete(f"{place}/{new['id']}").status_code == 204
    assert browser.post(f"{place}/{old['id']}/rotate", json={}).status_code == 201


def test_a_key_and_a_person_can_ask_who_they_are(
    app: Flask, application: Application, browser: Client, client: Client, place: str, own: str
) -> None:
    made = browser.post(place, json=ASKED).json
    told = client.get("/api/v1/whoami", headers=bearer(made["key"]))
    assert (told.status_code, told.json["kind"], told.json["id"], told.json["name"]) == (
        200,
        "api_key",
        made["id"],
        "pipeline",
    )
    assert [one["id"] for one in told.json["organisations"]] == [own]
    assert (told.json["scopes"], told.json["created_by"]) == (ASKED["scopes"], made["created_by"])
    assert told.json["expires_at"] == made["expires_at"]
    assert made["key"].split("_", 2)[2] not in told.text
    assert "Aron" not in told.text
    person = browser.get("/api/v1/whoami").json
    assert (person["kind"], person["name"], person["organisations"][0]["role"]) == ("person", "Aron", "admin")
    assert person["confirmed_until"] is not None
    operator = sign_in(app, application, make_account(application, operator=True)).get("/api/v1/whoami").json
    assert (operator["kind"], operator["organisations"], operator["scopes"]) == ("operator", [], None)
    assert client.get("/api/v1/whoami").status_code == 401
    assert browser.delete(f"{place}/{made['id']}").status_code == 204
    assert client.get("/api/v1/whoami", headers=bearer(made["key"])).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        {"label": ""},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["generations:write"] * 5},
        {"days": 0},
        {"days": 366},
        {"days": "30"},
        {"days": True},
    ],
)
def test_what_has_another_form_is_refused(browser: Client, place: str, change: dict[str, object]) -> None:
    assert browser.post(place, json={**ASKED, **change}).status_code == 422


def test_a_whole_number_may_have_a_point(browser: Client, place: str) -> None:
    made = browser.post(place, json={**ASKED, "days": 9.0})
    assert made.status_code == 201
    assert browser.post(place, json={**ASKED, "days": 9.5}).status_code == 422


@pytest.mark.parametrize("role", [Role.MEMBER, None])
def test_members_and_strangers_reach_no_keys(
    app: Flask, application: Application, own: str, place: str, role: Role | None
) -> None:
    elsewhere = own
    if role is None:
        elsewhere = make_organisation(application.control, application.tenants)
    browser = sign_in(app, application, make_member(application, elsewhere, role or Role.OWNER))
    expected = 403 if role else 404
    key_id = make_key_row(application, own)[0]
    assert browser.get(place).status_code == expected
    assert browser.post(place, json=ASKED).status_code == expected
    assert browser.post(f"{place}/{key_id}/rotate", json={}).status_code == expected
    assert browser.delete(f"{place}/{key_id}").status_code == expected
