"""Organisations over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import TypeAdapter, ValidationError

from pigi.domain.access import Role
from pigi.domain.names import NAME_LENGTH, is_name
from tests.support.people import make_account, make_member, make_session, sign_in
from web.http.texts import Title

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

ALL = "/api/v1/organisations"


@pytest.fixture
def person(application: Application) -> str:
    """An account; its id."""
    return make_account(application)


@pytest.fixture
def browser(app: Flask, application: Application, person: str) -> Client:
    """A browser in which it is signed in."""
    return sign_in(app, application, person)


def test_an_organisation_is_made_read_listed_and_renamed(browser: Client) -> None:
    made = browser.post(ALL, json={"name": " Harbour Works "})
    place = made.headers["Location"]
    assert (made.status_code, place) == (201, f"{ALL}/{made.json['id']}")
    assert (made.json["name"], made.json["role"]) == ("Harbour Works", "owner")
    assert browser.get(place).json == made.json
    assert browser.get(ALL).json == {"organisations": [made.json]}
    renamed = browser.patch(place, json={"name": "Harbour"})
    assert (renamed.status_code, renamed.json) == (200, {**made.json, "name": "Harbour"})
    assert browser.get(place).json["name"] == "Harbour"


def test_a_repeat_makes_one(browser: Client) -> None:
    keyed = {"Idempotency-Key": "one"}
    first = browser.post(ALL, json={"name": "One"}, headers=keyed)
    again = browser.post(ALL, json={"name": "One"}, headers=keyed)
    assert (again.status_code, again.json, again.headers["Location"]) == (201, first.json, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(browser.get(ALL).json["organisations"]) == 1


def test_a_repeat_tells_nothing_to_who_has_left(
    app: Flask, application: Application, browser: Client, person: str
) -> None:
    keyed = {"Idempotency-Key": "one"}
    place = browser.post(ALL, json={"name": "One"}, headers=keyed).headers["Location"]
    make_member(application, place.rpartition("/")[2], Role.OWNER)
    assert browser.delete(f"{place}/members/{person}").status_code == 204
    assert browser.post(ALL, json={"name": "One"}, headers=keyed).status_code == 404


def test_an_api_key_reads_its_organisation_and_renames_nothing(
    client: Client, headers: dict[str, str], own: str
) -> None:
    shown = client.get(f"{ALL}/{own}", headers=headers)
    assert (shown.status_code, shown.json["id"], shown.json["role"]) == (200, own, None)
    refused = client.patch(f"{ALL}/{own}", json={"name": "Mine"}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (403, "forbidden")
    assert client.post(ALL, json={"name": "Mine"}, headers=headers).status_code == 403


def test_operators_make_none_and_have_none(app: Flask, application: Application) -> None:
    operator = sign_in(app, application, make_account(application, operator=True))
    refused = operator.post(ALL, json={"name": "Mine"})
    assert (refused.status_code, refused.json["code"]) == (403, "not_for_operators")
    assert operator.get(ALL).json == {"organisations": []}


def test_without_the_sessions_token_nothing_is_made(app: Flask, application: Application, person: str) -> None:
    browser = sign_in(app, application, person)
    browser.environ_base["HTTP_X_XSRF_TOKEN"] = make_session(application, person)
    refused = browser.post(ALL, json={"name": "Mine"})
    assert (refused.status_code, refused.json["code"]) == (403, "csrf_refused")
    assert browser.get(ALL).json == {"organisations": []}


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "x" * 121}, {"name": "a\nb"}, {"name": "a", "x": 1}])
def test_what_has_another_form_is_refused(browser: Client, body: dict[str, object]) -> None:
    assert browser.post(ALL, json=body).status_code == 422


TITLE = TypeAdapter(Title)


@given(some.text(max_size=NAME_LENGTH + 2))
def test_the_door_and_the_house_agree_on_what_a_line_is(text: str) -> None:
    try:
        title = TITLE.validate_python(text)
    except ValidationError:
        assert not is_name(text.strip()) or text != text.strip()
    else:
        assert is_name(title)
