"""Whoever deletes their account is told of what would be left to nobody, and can do nothing more but undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.domain.access import Role
from tests.support.accounts import cheap_hash, make_passwords_cheap
from tests.support.jobs import register_organisation
from tests.support.people import PASSWORD, browser, join, make_account, make_session

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from pigi.store.sessions import ControlDatabase
    from tests.support.http import Client

API = "/api/v1"
ADDRESS = "olga@example.org"
RIGHT = {"email": ADDRESS, "password": PASSWORD}


@pytest.fixture
def home(control: ControlDatabase) -> str:
    """An organisation that nobody else owns."""
    return register_organisation(control)


@pytest.fixture
def olga(app: Flask, application: Application, home: str, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Its owner's browser."""
    make_passwords_cheap(monkeypatch)
    account = make_account(application, email=ADDRESS, password_hash=cheap_hash())
    join(application, home, account, Role.OWNER)
    return browser(app, make_session(application, account, confirmed=False))


def test_what_would_be_left_to_nobody_is_named(olga: Client, home: str) -> None:
    answer = olga.delete(f"{API}/me", json={"password": PASSWORD})

    assert (answer.status_code, answer.json["code"]) == (409, "sole_owner")
    assert [one["id"] for one in answer.json["organisations"]] == [home]
    assert olga.get(f"{API}/me").json["deletion"] is None


def test_signing_in_says_so_and_offers_the_way_back(app: Flask, olga: Client, home: str) -> None:
    answer = olga.delete(f"{API}/me", json={"password": PASSWORD, "organisations": [home]})
    assert answer.status_code == 202
    deletion = answer.json["deletion"]
    assert deletion["requested_at"] < deletion["restorable_until"] < deletion["final_by"]

    later = app.test_client()
    opened = later.post(f"{API}/session", json=RIGHT)
    assert (opened.status_code, opened.json["account"]["deletion"]) == (201, deletion)
    assert later.get(f"{API}/organisations").json["code"] == "account_deleting"
    assert later.get(f"{API}/organisations/{home}/projects").status_code == 403
    assert later.get(f"{API}/organisations/{home}/deletion").json["state"] == "grace"
    assert later.get("/dashboard").headers["Location"] == "/account"
    assert "This account is being deleted" in later.get("/account").get_data(as_text=True)
    assert later.get(deletion["links"]["receipt"]).status_code == 404

    token = later.get_cookie("XSRF-TOKEN").value
    restored = later.post(deletion["links"]["restore"], headers={"X-XSRF-TOKEN": token})
    assert (restored.status_code, restored.json["deletion"]) == (200, None)
    assert later.get(f"{API}/organisations/{home}").json["state"] == "active"


def test_its_other_sessions_end_and_this_one_stays(
    app: Flask, application: Application, olga: Client, home: str
) -> None:
    account = olga.get(f"{API}/me").json["id"]
    elsewhere = browser(app, make_session(application, account))
    olga.delete(f"{API}/me", json={"password": PASSWORD, "organisations": [home]})

    assert elsewhere.get(f"{API}/me").status_code == 401
    assert olga.get(f"{API}/me").json["deletion"] is not None


def test_who_does_not_know_the_password_deletes_nothing(olga: Client, home: str) -> None:
    for body in ({"password": "a guess that is wrong", "organisations": [home]}, {"organisations": [home]}, {}):
        assert olga.delete(f"{API}/me", json=body).status_code in {403, 422}
    assert olga.get(f"{API}/me").json["deletion"] is None
