"""What cannot be taken back asks for the password once more, and whoever merely found the browser open stops there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pigi.domain.access import CONFIRMED_FOR, Role
from pigi.operations.accounts import sessions
from tests.support.accounts import cheap_hash, make_passwords_cheap
from tests.support.jobs import register_organisation
from tests.support.people import PASSWORD, browser, join, make_account, make_member, make_session

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from pigi.store.sessions import ControlDatabase
    from tests.support.http import Client

API = "/api/v1"
CONFIRMATION = f"{API}/session/confirmation"


@pytest.fixture
def home(control: ControlDatabase) -> str:
    """An organisation."""
    return register_organisation(control)


@pytest.fixture
def owner(application: Application, home: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its owner, who has a password."""
    make_passwords_cheap(monkeypatch)
    account_id = make_account(application, password_hash=cheap_hash())
    join(application, home, account_id, Role.OWNER)
    return account_id


@pytest.fixture
def found(app: Flask, application: Application, owner: str) -> Client:
    """A browser that was left signed in."""
    return browser(app, make_session(application, owner, confirmed=False))


def dear_acts(client: Client, application: Application, home: str) -> dict[str, int]:
    """The status of each act that cannot be taken back."""
    place = f"{API}/organisations/{home}"
    member, other = (make_member(application, home, role) for role in (Role.MEMBER, Role.OWNER))
    key = {"label": "Pipeline", "scopes": ["configuration:read"]}
    acts = {
        "make a key": client.post(f"{place}/api-keys", json=key),
        "invite an owner": client.post(f"{place}/invitations", json={"email": "new@example.org", "role": "owner"}),
        "make an owner": client.patch(f"{place}/members/{member}", json={"role": "owner"}),
        "remove an owner": client.delete(f"{place}/members/{other}"),
        "delete": client.delete(place),
    }
    for answer in acts.values():
        if answer.status_code == 403:
            assert answer.json["code"] == "confirmation_required"
    return {name: answer.status_code for name, answer in acts.items()}


def test_a_session_that_was_not_confirmed_stops_before_each_act(
    found: Client, application: Application, home: str
) -> None:
    assert set(dear_acts(found, application, home).values()) == {403}


def test_the_password_opens_them(found: Client, application: Application, home: str) -> None:
    answer = found.post(CONFIRMATION, json={"password": PASSWORD})

    assert answer.status_code == 200
    assert answer.json["confirmed_until"]
    assert dear_acts(found, application, home) == {
        "make a key": 201, "invite an owner": 201, "make an owner": 200, "remove an owner": 204, "delete": 202
    }  # fmt: skip


def test_a_wrong_password_opens_nothing(found: Client, application: Application, home: str) -> None:
    answer = found.post(CONFIRMATION, json={"password": "somebody else's guess"})

    assert (answer.status_code, answer.json["code"]) == (403, "wrong_password")
    assert set(dear_acts(found, application, home).values()) == {403}


def test_it_counts_for_this_session_alone(
    app: Flask, found: Client, application: Application, owner: str, home: str
) -> None:
    found.post(CONFIRMATION, json={"password": PASSWORD})
    elsewhere = browser(app, make_session(application, owner, confirmed=False))

    assert elsewhere.delete(f"{API}/organisations/{home}").status_code == 403


@pytest.mark.parametrize(("late", "status"), [(timedelta(seconds=1), 202), (timedelta(0), 403)])
def test_it_counts_for_ten_minutes_to_the_second(
    found: Client, home: str, monkeypatch: pytest.MonkeyPatch, late: timedelta, status: int
) -> None:
    found.post(CONFIRMATION, json={"password": PASSWORD})
    then = sessions.now() + CONFIRMED_FOR - late
    monkeypatch.setattr(sessions, "now", lambda: then)

    assert found.delete(f"{API}/organisations/{home}").status_code == status


def test_what_can_be_taken_back_asks_for_nothing(found: Client, application: Application, home: str) -> None:
    member = make_member(application, home, Role.MEMBER)
    place = f"{API}/organisations/{home}/members/{member}"

    assert found.patch(place, json={"role": "admin"}).status_code == 200
    assert found.delete(place).status_code == 204
