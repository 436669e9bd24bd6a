"""The two cookies: what they are, that they end with the session, and that nobody can plant or keep one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.http import parse_cookie

from pigi.domain.access import Role
from pigi.operations.credentials import passwords
from pigi.operations.credentials.turns import Turns
from pigi.settings import Settings
from tests.support.accounts import cheap_hash, make_passwords_cheap
from tests.support.people import PASSWORD, browser, join, make_account, make_session
from web.app import create_app
from web.http.auth import SESSION, XSRF

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

PLACE, ALL = "/api/v1/session", "/api/v1/sessions"
ADA = "ada@example.org"
RIGHT = {"email": ADA, "password": PASSWORD}


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(application: Application) -> str:
    """Ada's account; its id."""
    return make_account(application, email=ADA, password_hash=cheap_hash())


def cookies_of(answer: Any) -> dict[str, str]:
    """The lines that set cookies, by the cookie's name."""
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}


def value_of(line: str) -> str:
    return next(iter(parse_cookie(line.partition(";")[0]).values()))


def with_token(client: Client) -> dict[str, str]:
    return {"X-XSRF-TOKEN": client.get_cookie(XSRF).value}


def test_signing_in_sets_two_cookies_that_end_with_the_browser(client: Client, ada: str) -> None:
    answer = client.post(PLACE, json=RIGHT)
    lines = cookies_of(answer)

    assert answer.status_code == 201
    assert answer.json["account"]["id"] == ada
    assert set(lines) == {SESSION, XSRF}
    assert lines[SESSION].partition("; ")[2] == "HttpOnly; Path=/; SameSite=Lax"
    assert lines[XSRF].partition("; ")[2] == "Path=/; SameSite=Lax"
    assert answer.headers["Cache-Control"] == "no-store"


def test_in_production_they_never_travel_in_the_clear(application: Application, ada: str) -> None:
    settings = Settings(
        **{**application.settings.model_dump(), "mode": "production", "public_url": "https://pigi.example"}
    )
    strict = create_app(replace(application, settings=settings))
    try:
        client = strict.test_client()
        answer = client.post(PLACE, json=RIGHT, base_url="https://pigi.example")
        out = client.delete(
            PLACE, base_url="https://pigi.example", headers={"X-XSRF-TOKEN": value_of(cookies_of(answer)[XSRF])}
        )
    finally:
        strict.extensions["pigi"].watcher.close()

    for line in (*cookies_of(answer).values(), *cookies_of(out).values()):
        assert "Secure" in line.split("; ")


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(client: Client, ada: str) -> None:
    wrong = client.post(PLACE, json={**RIGHT, "password": "heron"})
    unknown = client.post(PLACE, json={**RIGHT, "email": "nobody@example.org"})
    told = [{**answer.json, "instance": ""} for answer in (wrong, unknown)]

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert told[0] == told[1]
    assert cookies_of(wrong) == cookies_of(unknown) == {}


def test_a_session_that_was_planted_is_not_taken_up(app: Flask, application: Application, ada: str) -> None:
    planted = make_session(application, make_account(application))
    victim = browser(app, planted)
    answer = victim.post(PLACE, json=RIGHT)

    assert value_of(cookies_of(answer)[SESSION]) != planted
    assert browser(app, planted).get(PLACE).status_code == 401
    assert victim.get(PLACE).json["account"]["id"] == ada


def test_a_cookie_of_nothing_is_no_hindrance_to_signing_in(client: Client, ada: str) -> None:
    client.set_cookie(SESSION, "A" * 43)

    assert client.post(PLACE, json=RIGHT).status_code == 201


def test_who_is_signed_in_and_where_they_belong(
    app: Flask, application: Application, ada: str, own: str, client: Client
) -> None:
    join(application, own, ada, Role.ADMIN)
    told = browser(app, make_session(application, ada)).get(PLACE)

    assert told.json["memberships"] == [{"organisation_id": own, "name": "Test organisation", "role": "admin"}]
    assert client.get(PLACE).status_code == 401


@pytest.mark.parametrize("place", [PLACE, ALL])
def test_signing_out_takes_the_cookies_and_ends_copies(app: Flask, client: Client, ada: str, place: str) -> None:
    client.post(PLACE, json=RIGHT)
    copied = client.get_cookie(SESSION).value
    answer = client.delete(place, headers=with_token(client))

    assert answer.status_code == 204
    assert {name: value_of(line) for name, line in cookies_of(answer).items()} == {SESSION: "", XSRF: ""}
    assert client.get_cookie(SESSION) is client.get_cookie(XSRF) is None
    assert browser(app, copied).get(PLACE).status_code == 401
    assert browser(app, copied).delete(PLACE).status_code == 401


def test_signing_out_ends_this_browser_and_everywhere_ends_all(app: Flask, application: Application, ada: str) -> None:
    here, there, third = (browser(app, make_session(application, ada)) for _ in range(3))

    assert here.delete(PLACE).status_code == 204
    assert there.get(PLACE).status_code == 200
    assert there.delete(ALL).status_code == 204
    assert third.get(PLACE).status_code == 401


def test_a_new_password_ends_all_other_browsers(app: Flask, application: Application, ada: str) -> None:
    here, there = (browser(app, make_session(application, ada)) for _ in range(2))
    body = {"new_password": "lantern quay 92 heron drift", "password": PASSWORD}

    assert here.patch("/api/v1/me", json=body).status_code == 200
    assert (here.get(PLACE).status_code, there.get(PLACE).status_code) == (200, 401)


def test_a_flood_of_sign_ins_is_told_to_come_back(client: Client, ada: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_turns", Turns(0, 1, 1))
    answer = client.post(PLACE, json=RIGHT)

    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_owner_is_told_how_many_passwords_were_wrong(app: Flask, application: Application, ada: str) -> None:
    stranger = app.test_client()
    for _ in range(2):
        assert stranger.post(PLACE, json=RIGHT | {"password": "lantern quay 92 heron drift"}).status_code == 401
    own = browser(app, make_session(application, ada))

    (day,) = own.get("/api/v1/me/sessions").json["failures"]

    assert day["count"] == 2
    assert "Wrong passwords or codes for this account: 2 on" in own.get("/account").text
    assert "Wrong passwords or codes for this account: 2 on" in own.get("/account/sessions").text
