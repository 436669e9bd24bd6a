"""A session gets another secret when it may do more or other than before; and it ends, however much it is used."""

from __future__ import annotations

from base64 import b32decode
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from pigi.clock import now
from pigi.domain.access import Role
from pigi.operations.accounts import make_renewal_due
from pigi.operations.accounts.sessions import SESSION as SESSIONS
from tests.support.accounts import cheap_hash
from tests.support.factories import make_organisation
from tests.support.people import (
    ADDRESS,
    PASSWORD,
    browser,
    code_of,
    make_account,
    make_account_token,
    make_member,
    make_session,
)
from web.http.auth import SESSION

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application

ME, PLACE = "/api/v1/me", "/api/v1/session"
FACTOR = f"{ME}/second-factor"
API_CHANGES = "/api/v1/email-changes"
NEW = "lantern quay 92 heron drift"


@pytest.fixture
def ada(application: Application) -> str:
    return make_account(application, password_hash=cheap_hash())


def secret_of(client) -> str:
    return client.get_cookie(SESSION).value


ACTS = {
    "confirmation": ("POST", f"{PLACE}/confirmation", {"password": PASSWORD}),
    "new password": ("PATCH", ME, {"new_password": NEW, "password": PASSWORD}),
    "factor off": ("DELETE", FACTOR, None),
}


@pytest.mark.parametrize("act", ACTS)
def test_whoever_copied_the_cookie_before_is_left_behind(
    app: Flask, application: Application, ada: str, act: str
) -> None:
    copied = make_session(application, ada)
    here, thief = browser(app, copied), browser(app, copied)
    verb, path, body = ACTS[act]

    answer = here.open(path, method=verb, json=body)

    assert answer.status_code in {200, 204}
    cookies = answer.headers.getlist("Set-Cookie")
    assert [one.split("=")[0] for one in cookies] == [SESSION]
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[0]
    assert secret_of(here) != copied
    assert thief.get(PLACE).status_code == 401
    # The CSRF token is the session's, and stays: a form that is open elsewhere can still be sent.
    assert here.patch(ME, json={"name": "Ada L."}).status_code == 200


def test_turning_a_second_factor_on_and_a_new_address_renew_it_too(
    app: Flask, application: Application, ada: str
) -> None:
    here = browser(app, make_session(application, ada))
    before = secret_of(here)
    assert here.post(f"{API_CHANGES}/{make_account_token(application, ADDRESS, ada)}", json={}).status_code == 204
    between = secret_of(here)
    assert between != before

    secret = b32decode(here.post(FACTOR, json={}).json["secret"])
    assert here.post(f"{FACTOR}/confirm", json={"code": code_of(secret=secret)}).status_code == 200
    assert secret_of(here) not in {before, between}
    assert here.get(PLACE).status_code == 200


def test_a_changed_role_renews_the_member_s_secret_with_their_next_request(
    app: Flask, application: Application
) -> None:
    organisation = make_organisation(application.control, application.tenants)
    owner, member = (make_member(application, organisation, role) for role in (Role.OWNER, Role.MEMBER))
    theirs = make_session(application, member)
    here, elsewhere = browser(app, theirs), browser(app, theirs)
    members = f"/api/v1/organisations/{organisation}/members"

    changed = browser(app, make_session(application, owner)).patch(f"{members}/{member}", json={"role": "admin"})

    assert changed.status_code == 200
    assert here.get(PLACE).status_code == 200
    assert secret_of(here) != theirs
    # What was on its way comes through, without what was confirmed; a minute later the old secret is nobody's.
    assert elsewhere.get(PLACE).status_code == 200
    assert elsewhere.post(f"{PLACE}/confirmation", json={"password": PASSWORD}).status_code in {401, 403}
    with application.control.begin() as session:
        session.execute(update(SESSIONS).values(previous_until=now() - timedelta(seconds=1)))
    assert elsewhere.get(PLACE).status_code == 401
    assert here.get(PLACE).status_code == 200
    assert here.get("/api/v1/organisations").headers.getlist("Set-Cookie") == []


NOWHERE = "01a22d52-0a3d-7c40-aa68-1b3edf2e6cac"
FIRST = {
    "what is refused": ("PATCH", ME, {"nothing": "known"}, 422),
    "what is not there": ("DELETE", f"{ME}/sessions/{NOWHERE}", None, 404),
    "a wrong password": ("POST", f"{PLACE}/confirmation", {"password": NEW}, 403),
    "what renews it, too": ("POST", f"{PLACE}/confirmation", {"password": PASSWORD}, 200),
}


@pytest.mark.parametrize("first", FIRST)
def test_nobody_is_signed_out_by_a_changed_right_whatever_they_ask_for_first(
    app: Flask, application: Application, ada: str, first: str
) -> None:
    copied = make_session(application, ada)
    here = browser(app, copied)
    with application.control.begin() as session:
        make_renewal_due(session, ada)
    verb, path, body, status = FIRST[first]

    answer = here.open(path, method=verb, json=body)

    assert answer.status_code == status
    assert [one.split("=")[0] for one in answer.headers.getlist("Set-Cookie")] == [SESSION]
    with application.control.begin() as session:
        session.execute(update(SESSIONS).values(previous_until=now() - timedelta(seconds=1)))
    assert here.get(PLACE).status_code == 200
    assert browser(app, copied).get(PLACE).status_code == 401


def test_a_session_is_ended_with_the_secret_that_it_had_a_moment_ago(
    app: Flask, application: Application, ada: str
) -> None:
    copied = make_session(application, ada)
    here, thief = browser(app, copied), browser(app, copied)
    with application.control.begin() as session:
        make_renewal_due(session, ada)
    assert thief.get(PLACE).status_code == 200

    assert here.delete(PLACE).status_code == 204

    assert thief.get(PLACE).status_code == 401


def test_a_session_ends_after_thirty_days_however_much_it_is_used(
    app: Flask, application: Application, ada: str
) -> None:
    here = browser(app, make_session(application, ada))
    shown = here.get(f"{ME}/sessions").json["sessions"][0]
    assert shown["created_at"] < shown["ends_at"]
    with application.control.begin() as session:
        session.execute(update(SESSIONS).values(created_at=now() - timedelta(days=30), seen_at=now()))

    assert here.get(PLACE).status_code == 401
    assert here.get("/account").status_code == 303


def test_the_link_of_a_new_address_alone_changes_nothing_over_http(
    app: Flask, application: Application, ada: str
) -> None:
    token = make_account_token(application, ADDRESS, ada)
    nobody, other = app.test_client(), browser(app, make_session(application, make_account(application)))

    assert nobody.get(f"/confirm-address/{token}").status_code == 200
    for client in (nobody, other):
        answer = client.post(f"{API_CHANGES}/{token}", json={})
        assert (answer.status_code, answer.json["code"]) == (403, "owner_needed")
    assert nobody.post(f"{API_CHANGES}/{token}", json={"password": PASSWORD}).status_code == 204
