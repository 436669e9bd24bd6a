"""Registering, changing and resetting over HTTP: what may be sent, and answers that tell nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.operations.credentials import ADDRESS, RESET
from tests.support.accounts import address_tokens, cheap_hash, mails_to, make_passwords_cheap, welcome_tokens
from tests.support.http import bearer
from tests.support.people import (
    PASSWORD,
    browser,
    make_account,
    make_account_token,
    make_key,
    make_registration,
    make_session,
)
from web.http.auth import SESSION

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

API = "/api/v1"
ADA, MARK = "ada@example.org", "zebra-marker"
NEW = "lantern quay 92 heron drift"
REGISTRATION = {"name": "Ada Lund", "email": ADA, "password": PASSWORD}


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(app: Flask, application: Application) -> Client:
    """A browser in which Ada is signed in."""
    return browser(app, make_session(application, make_account(application, email=ADA, password_hash=cheap_hash())))


def test_from_registering_to_being_signed_in(client: Client, application: Application) -> None:
    asked = client.post(f"{API}/accounts", json=REGISTRATION)
    token = welcome_tokens(application, ADA)[0]
    wrong = client.post(f"{API}/registrations/{token}", json={"password": NEW})
    confirmed = client.post(f"{API}/registrations/{token}", json={"password": PASSWORD})
    again = client.post(f"{API}/registrations/{token}", json={"password": PASSWORD})
    assert "register again" in wrong.json["detail"]

    assert (asked.status_code, wrong.status_code, wrong.json["code"]) == (202, 401, "wrong_credentials")
    assert (confirmed.status_code, confirmed.headers["Location"]) == (201, f"{API}/session")
    assert confirmed.json["account"]["email"] == ADA
    assert client.get(f"{API}/session").json == {"account": confirmed.json["account"], "memberships": []}
    # Signed in now, so the browser's rules hold: without the session's token nothing is even looked at.
    assert (again.status_code, again.json["code"]) == (403, "csrf_refused")


def test_the_answer_is_the_same_for_every_address(client: Client, application: Application) -> None:
    make_account(application, email=ADA)
    known = client.post(f"{API}/accounts", json=REGISTRATION)
    unknown = client.post(f"{API}/accounts", json={**REGISTRATION, "email": "new@example.org"})
    resets = [client.post(f"{API}/password-resets", json={"email": email}) for email in (ADA, "nobody@example.org")]

    assert (known.status_code, known.json) == (unknown.status_code, unknown.json)
    assert "Location" not in known.headers
    assert [(reset.status_code, reset.json) for reset in resets] == [(202, resets[0].json)] * 2
    for answer in (known, *resets):
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"phone": MARK}, "/phone"),
        ({"email": f"{MARK}@"}, "/email"),
        ({"email": f"{MARK}@example.org\r\nBcc: x@example.org"}, "/email"),
        ({"name": ""}, "/name"),
        ({"name": f"{MARK}\r\nBcc: x@example.org"}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"password": 1234567890}, "/password"),
        ({"password": ""}, "/password"),
        ({"password": "x" * 1025}, "/password"),
    ],
)
def test_only_name_address_and_password_are_taken(client: Client, change: dict[str, Any], pointer: str) -> None:
    answer = client.post(f"{API}/accounts", json={**REGISTRATION, **change})

    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert [flaw["pointer"] for flaw in answer.json["errors"]] == [pointer]
    assert MARK not in answer.get_data(as_text=True)


def test_a_weak_password_is_explained_and_not_repeated(client: Client, application: Application) -> None:
    answer = client.post(f"{API}/accounts", json={**REGISTRATION, "password": "password123!"})

    assert (answer.status_code, answer.json["code"]) == (422, "password_weak")
    assert answer.json["errors"][0]["pointer"] == "/password"
    assert "password123!" not in answer.get_data(as_text=True)
    assert mails_to(application, ADA) == []


def test_too_many_tries_say_when_to_come_back(client: Client) -> None:
    answers = [client.post(f"{API}/session", json={"email": ADA, "password": NEW}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].json["code"] == "too_many_tries"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 30


def test_no_client_gets_more_tries_by_naming_another_network(client: Client) -> None:
    body = {"email": ADA, "password": NEW}
    told = {"X-Forwarded-For": "198.51.100.1"}
    statuses = [client.post(f"{API}/session", json=body, headers=told).status_code for _ in range(5)]
    own = client.post(f"{API}/session", json=body, headers={"X-Forwarded-For": "198.51.100.2"})

    # No proxy is declared, so what a client says of itself counts for nothing.
    assert (statuses, own.status_code) == ([401] * 5, 429)


@pytest.mark.parametrize("place", ["registrations", "password-resets"])
def test_a_link_that_is_over_says_what_to_do(client: Client, place: str) -> None:
    for token in ("A" * 43, "short"):
        answer = client.post(f"{API}/{place}/{token}", json={"password": NEW})

        assert (answer.status_code, answer.json["code"]) == (404, "link_over")
        assert answer.json["detail"]


def test_no_link_is_used_up_by_reading_it(client: Client, application: Application) -> None:
    places = {
        "registrations": make_registration(application, password_hash=cheap_hash()),
        "password-resets": make_account_token(application, RESET),
        "email-changes": make_account_token(application, ADDRESS),
    }
    for place, token in places.items():
        assert client.get(f"{API}/{place}/{token}").status_code == 405
        assert client.head(f"{API}/{place}/{token}").status_code == 405
    for place, token in list(places.items())[1:]:
        body = {"password": NEW if place == "password-resets" else PASSWORD}
        assert client.post(f"{API}/{place}/{token}", json=body).status_code == 204


def test_a_reset_lets_in_with_the_new_password_alone(client: Client, application: Application) -> None:
    account = make_account(application, email=ADA, password_hash=cheap_hash())
    token = make_account_token(application, RESET, account)

    assert client.post(f"{API}/password-resets/{token}", json={"password": NEW}).status_code == 204
    assert client.post(f"{API}/session", json={"email": ADA, "password": PASSWORD}).status_code == 401
    assert client.post(f"{API}/session", json={"email": ADA, "password": NEW}).status_code == 201


def test_one_s_own_account_is_read_and_changed(ada: Client, application: Application) -> None:
    read = ada.get(f"{API}/me").json
    renamed = ada.patch(f"{API}/me", json={"name": "Ada Lovelund"})
    moved = ada.patch(f"{API}/me", json={"email": "new@example.org", "password": PASSWORD})
    token = address_tokens(application, "new@example.org")[0]
    confirmed = ada.post(f"{API}/email-changes/{token}", json={})

    assert (read["name"], read["email"], read["operator"], read["new_email"]) == ("Ada Lund", ADA, False, None)
    assert renamed.json == {**read, "name": "Ada Lovelund"}
    assert moved.json == {**renamed.json, "new_email": "new@example.org"}
    assert confirmed.status_code == 204
    assert ada.get(f"{API}/me").json["email"] == "new@example.org"


def test_changes_that_need_the_password_say_where_it_belongs(ada: Client) -> None:
    missing = ada.patch(f"{API}/me", json={"new_password": NEW})
    wrong = ada.patch(f"{API}/me", json={"new_password": NEW, "password": NEW})

    assert (missing.status_code, missing.json["code"]) == (422, "invalid")
    assert (wrong.status_code, wrong.json["code"]) == (403, "wrong_password")
    assert missing.json["errors"][0]["pointer"] == wrong.json["errors"][0]["pointer"] == "/password"


def test_a_repeated_change_is_made_once(ada: Client, application: Application) -> None:
    body = {"email": "new@example.org", "password": PASSWORD}
    first, again = (ada.patch(f"{API}/me", json=body, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    other = ada.patch(f"{API}/me", json={"name": "Eve"}, headers={"Idempotency-Key": "k-1"})

    assert (first.status_code, again.status_code, again.json) == (200, 200, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    assert mails_to(application, "new@example.org") == ["confirm-address"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/me"), ("PATCH", "/me"), ("GET", "/session"), ("DELETE", "/session"), ("DELETE", "/sessions")],
)
def test_what_is_a_person_s_own_is_out_of_a_key_s_reach(
    client: Client, application: Application, own: str, method: str, path: str
) -> None:
    key = bearer(make_key(application, own))

    assert client.open(f"{API}{path}", method=method, headers=key, json={}).status_code == 403
    assert client.get_cookie(SESSION) is None
