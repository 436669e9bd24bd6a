"""Invitations over HTTP: from the form to joining."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.domain.access import Role
from pigi.operations.credentials import INVITATION
from tests.support.people import browser as browser_of
from tests.support.people import make_account, make_invitation, make_member, sign_in

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

PASSWORD = "lantern orbit meadow 41"
ADDRESS = "new@example.com"


@pytest.fixture
def owner(application: Application, own: str) -> str:
    """An owner's account; its id."""
    return make_member(application, own, Role.OWNER)


@pytest.fixture
def browser(app: Flask, application: Application, owner: str) -> Client:
    """The owner's browser."""
    return sign_in(app, application, owner)


@pytest.fixture
def place(own: str) -> str:
    """Where the organisation's invitations are."""
    return f"/api/v1/organisations/{own}/invitations"


def accepting(application: Application, invitation_id: str) -> str:
    """Where the invitation is accepted."""
    return f"/api/v1/invitations/{application.keyring.token(INVITATION, invitation_id)}/accept"


def test_an_invitation_is_sent_listed_sent_again_and_revoked(browser: Client, place: str, owner: str) -> None:
    sent = browser.post(place, json={"email": ADDRESS, "role": "admin"}, headers={"Idempotency-Key": "one"})
    assert (sent.status_code, sent.headers["Location"]) == (201, f"{place}/{sent.json['id']}")
    assert (sent.json["email"], sent.json["role"], sent.json["invited_by"]) == (ADDRESS, "admin", owner)
    again = browser.post(place, json={"email": ADDRESS, "role": "admin"}, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json, again.headers["Idempotency-Replayed"]) == (201, sent.json, "true")
    assert browser.get(place).json == {"invitations": [sent.json], "next": None}
    resent = browser.post(f"{place}/{sent.json['id']}/resend", json={})
    assert (resent.status_code, resent.json["id"]) == (200, sent.json["id"])
    assert browser.delete(f"{place}/{sent.json['id']}").status_code == 204
    assert browser.delete(f"{place}/{sent.json['id']}").status_code == 404
    assert browser.get(place).json["invitations"] == []


@pytest.mark.parametrize(
    ("typed", "kept"), [(" bob@example.org ", "bob@example.org"), ("x@Müller.de", "x@xn--mller-kva.de")]
)
def test_an_address_is_kept_as_mail_servers_take_it(browser: Client, place: str, typed: str, kept: str) -> None:
    sent = browser.post(place, json={"email": typed})
    assert (sent.status_code, sent.json["email"]) == (201, kept)
    again = browser.post(place, json={"email": kept})
    assert (again.status_code, again.json["id"]) == (201, sent.json["id"])


def test_inviting_again_without_a_role_keeps_the_one_that_was_mailed(browser: Client, place: str) -> None:
    first = browser.post(place, json={"email": ADDRESS, "role": "admin"}).json
    assert browser.post(place, json={"email": ADDRESS}).json["role"] == "admin"
    changed = browser.post(place, json={"email": ADDRESS, "role": "member"}).json
    assert (changed["id"], changed["role"]) == (first["id"], "member")
    assert browser.post(place, json={"email": "other@example.com"}).json["role"] == "member"


def test_an_address_that_cannot_get_mail_is_refused_with_what_is_wrong(browser: Client, place: str) -> None:
    refused = browser.post(place, json={"email": "jörg@example.org"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/email")
    assert "letters from a to z" in refused.text


def test_invitations_are_listed_in_pages(browser: Client, place: str) -> None:
    sent = [browser.post(place, json={"email": f"{number}@example.com"}).json for number in range(3)]
    first = browser.get(f"{place}?limit=2").json
    rest = browser.get(first["next"]).json
    assert first["invitations"] + rest["invitations"] == sent[::-1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "a@example.com\nBcc: b@example.com"},
        {"email": ADDRESS, "role": "king"},
        {"email": "x" * 65 + "@example.com"},
    ],
)
def test_what_cannot_be_invited_is_refused_without_being_repeated(
    browser: Client, place: str, body: dict[str, str]
) -> None:
    refused = browser.post(place, json=body)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")
    assert "Bcc" not in refused.get_data(as_text=True)


def test_whoever_belongs_there_is_not_invited(browser: Client, application: Application, own: str, place: str) -> None:
    make_member(application, own, email=ADDRESS)
    refused = browser.post(place, json={"email": ADDRESS})
    assert (refused.status_code, refused.json["code"]) == (409, "already_member")


def test_the_daily_number_says_when_to_go_on(browser: Client, application: Application, place: str) -> None:
    object.__setattr__(application.settings, "invitations_per_day", 1)
    browser.post(place, json={"email": ADDRESS})
    refused = browser.post(place, json={"email": "two@example.com"})
    assert (refused.status_code, refused.json["code"], refused.json["limit"]) == (429, "too_many_today", 1)
    assert int(refused.headers["Retry-After"]) > 0


def test_a_newcomer_joins_and_is_signed_in(
    client: Client, application: Application, app: Flask, own: str, owner: str
) -> None:
    invitation = make_invitation(application, own, owner, ADDRESS, Role.ADMIN)[0]
    there = accepting(application, invitation)
    missing = client.post(there, json={})
    assert (missing.status_code, [flaw["pointer"] for flaw in missing.json["errors"]]) == (422, ["/name", "/password"])
    joined = client.post(there, json={"name": "Nora New", "password": PASSWORD})
    assert (joined.status_code, joined.json["organisation_id"], joined.json["role"]) == (200, own, "admin")
    cookies = joined.headers.getlist("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["pigi_session", "XSRF-TOKEN"]
    theirs = browser_of(app, cookies[0].split("=", 1)[1].split(";")[0])
    assert theirs.get("/api/v1/organisations").json["organisations"][0]["id"] == own
    late = app.test_client().post(there, json={"name": "Nora New", "password": PASSWORD})
    assert (late.status_code, late.json["code"]) == (404, "link_over")


def test_a_weak_password_says_what_is_wrong_with_it(
    client: Client, application: Application, own: str, owner: str
) -> None:
    there = accepting(application, make_invitation(application, own, owner, ADDRESS)[0])
    refused = client.post(there, json={"name": "Nora New", "password": "nora"})
    assert (refused.status_code, refused.json["code"]) == (422, "password_weak")
    assert [flaw["pointer"] for flaw in refused.json["errors"]] == ["/password"]


def test_whoever_is_signed_in_joins_with_the_invited_address_alone(
    app: Flask, application: Application, own: str, owner: str
) -> None:
    there = accepting(application, make_invitation(application, own, owner, ADDRESS)[0])
    invited = sign_in(app, application, make_account(application, email=ADDRESS))
    other = sign_in(app, application, make_account(application))
    refused = other.post(there, json={})
    assert (refused.status_code, refused.json["code"]) == (403, "invitation_for_another")
    assert "Sign out" in refused.json["detail"]
    joined = invited.post(there, json={})
    assert (joined.status_code, joined.headers.getlist("Set-Cookie")) == (200, [])
    assert invited.get(f"/api/v1/organisations/{own}").status_code == 200


def test_joining_takes_the_sessions_token(app: Flask, application: Application, own: str, owner: str) -> None:
    there = accepting(application, make_invitation(application, own, owner, ADDRESS)[0])
    invited = sign_in(app, application, make_account(application, email=ADDRESS))
    invited.environ_base["HTTP_X_XSRF_TOKEN"] = "forged"
    assert invited.post(there, json={}).json["code"] == "csrf_refused"


def test_an_address_with_an_account_is_asked_to_sign_in(
    client: Client, application: Application, own: str, owner: str
) -> None:
    there = accepting(application, make_invitation(application, own, owner, ADDRESS)[0])
    make_account(application, email=ADDRESS)
    refused = client.post(there, json={"name": "Mallory", "password": PASSWORD})
    assert (refused.status_code, refused.json["code"]) == (401, "unauthenticated")
    assert "Sign in" in refused.json["detail"]


@pytest.mark.parametrize("token", ["A" * 43, "short", "%2e%2e"])
def test_a_link_that_nobody_sent_is_over(client: Client, token: str) -> None:
    answer: Any = client.post(f"/api/v1/invitations/{token}/accept", json={})
    assert (answer.status_code, answer.json["code"]) == (404, "link_over")
