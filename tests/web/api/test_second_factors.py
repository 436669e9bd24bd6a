"""The second factor over HTTP: two steps of sign-in without a cookie in between, and operators who lack one."""

from __future__ import annotations

from base64 import b32decode
from typing import TYPE_CHECKING

from pigi.domain.access import Role
from tests.support.factories import make_organisation
from tests.support.pages import BROWSER
from tests.support.people import PASSWORD, an_address, code_of, hashed, join, make_account, make_session, sign_in
from tests.support.people import browser as browser_of

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application

MINE = "/api/v1/me/second-factor"
SESSION = "/api/v1/session"


def test_it_is_set_up_asked_for_and_turned_off(app: Flask, application: Application) -> None:
    address = an_address()
    account = make_account(application, email=address, password_hash=hashed())
    fresh = browser_of(app, make_session(application, account, confirmed=False))
    assert fresh.post(MINE, json={}).json["code"] == "confirmation_required"
    browser = sign_in(app, application, account)
    begun = browser.post(MINE, json={}).json
    assert (begun["state"], begun["secret"] in begun["uri"]) == ("pending", True)
    code = code_of(secret=b32decode(begun["secret"]))
    keyed = {"Idempotency-Key": "once"}
    told = browser.post(f"{MINE}/confirm", json={"code": code}, headers=keyed).json
    again = browser.post(f"{MINE}/confirm", json={"code": code}, headers=keyed).json
    assert (told["state"], len(told["codes"]), again["codes"]) == ("on", 10, None)
    assert fresh.get(SESSION).status_code == 401, "opened without it"
    nobody = app.test_client()
    asked = nobody.post(SESSION, json={"email": address, "password": PASSWORD})
    assert (asked.status_code, asked.json["code"], "Set-Cookie" in asked.headers) == (
        401,
        "second_factor_needed",
        False,
    )
    answer = nobody.post(SESSION, json={"email": address, "password": PASSWORD, "code": told["codes"][0]})
    assert answer.status_code == 201
    assert browser.get(MINE).json["recovery_codes"] == 9
    assert browser.delete(MINE).status_code == 204
    assert browser.get(MINE).json["state"] == "off"


def test_with_one_the_password_alone_deletes_no_account(app: Flask, application: Application) -> None:
    account = make_account(application, password_hash=hashed(), factor=True)
    left_open = browser_of(app, make_session(application, account, confirmed=False))
    assert left_open.get("/api/v1/me").json["second_factor"] is True
    keyed, body = {"Idempotency-Key": "once"}, {"password": PASSWORD}
    refused = left_open.delete("/api/v1/me", json=body, headers=keyed)
    assert (refused.status_code, refused.json["code"]) == (403, "confirmation_required")
    alone = left_open.post(f"{SESSION}/confirmation", json=body)
    assert alone.json["code"] == "second_factor_needed"
    assert left_open.get(SESSION).status_code == 200, "the session goes on"
    assert left_open.post(f"{SESSION}/confirmation", json={**body, "code": code_of()}).status_code == 200
    assert left_open.delete("/api/v1/me", json=body, headers=keyed).status_code == 202


def test_an_operator_without_one_can_do_nothing_but_set_it_up(app: Flask, application: Application) -> None:
    bare = sign_in(app, application, make_account(application, operator=True, factor=False))
    for path in ("/operate", "/dashboard", "/account"):
        sent = bare.get(path, headers=BROWSER)
        assert (sent.status_code, sent.headers["Location"]) == (303, "/account/second-factor")
    for path in ("/api/v1/me", "/api/v1/holds"):
        assert (bare.get(path).status_code, bare.get(path).json["code"]) == (403, "second_factor_required")
    assert "Operators need a second factor" in bare.get("/account/second-factor", headers=BROWSER).get_data(
        as_text=True
    )
    begun = bare.post(MINE, json={}).json
    assert begun["required"]
    page = bare.get("/account/second-factor", headers=BROWSER).get_data(as_text=True)
    assert "<svg" in page
    assert "style=" not in page.partition("<svg")[2].partition("</svg>")[0]
    bare.post(f"{MINE}/confirm", json={"code": code_of(secret=b32decode(begun["secret"]))})
    assert bare.get("/operate", headers=BROWSER).status_code == 200


def test_a_member_of_an_organisation_that_asks_for_it_is_shown_the_way_and_keeps_their_own(
    app: Flask, application: Application
) -> None:
    own = make_organisation(application.control, application.tenants, "Harbour Works")
    owner, member = make_account(application, factor=True), make_account(application, password_hash=hashed())
    join(application, own, owner, Role.OWNER)
    join(application, own, member)
    place = f"/api/v1/organisations/{own}"
    assert sign_in(app, application, owner).patch(place, json={"second_factor": True}).json["second_factor"]
    browser = sign_in(app, application, member)
    assert browser.get(place).json["code"] == "second_factor_required"
    sent = browser.get(f"/o/{own}", headers=BROWSER)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/account/second-factor")
    assert "Harbour Works" in browser.get("/account/second-factor", headers=BROWSER).get_data(as_text=True)
    assert browser.post("/api/v1/me/exports", json={}).status_code == 202
    assert browser.delete(f"{place}/members/{member}").status_code == 204
    assert browser.delete("/api/v1/me", json={"password": PASSWORD}).status_code == 202
