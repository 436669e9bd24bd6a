"""Every unsafe route wants the session's own token from a browser (P36), whatever else it is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pigi.ids import new_id
from pigi.operations.accounts import csrf_token
from tests.support.people import browser, make_account, make_session
from web.app import ROUTES
from web.http.auth import XSRF
from web.http.routes import RouteKind, Who

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client
    from web.http.routes import Route

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)

UNSAFE = [route for route in ROUTES if route.method != "GET"]
FORGED = "A" * 43


def code_of(client: Client, route: Route, **headers: str) -> tuple[int, str]:
    path = re.sub(r"<int:\w+>", "1", route.path)
    path = re.sub(r"<\w+>", lambda _found: new_id(), path)
    answer = client.open(path, method=route.method, json={}, headers=headers)
    return answer.status_code, answer.json["code"]


@pytest.fixture
def account(application: Application) -> str:
    return make_account(application)


@pytest.mark.parametrize("given", ["missing", "forged", "other session's", "ended session's"])
def test_no_other_token_will_do_on_any_route(app: Flask, application: Application, account: str, given: str) -> None:
    token, other = make_session(application, account), make_session(application, account)
    if given.startswith("ended"):
        assert browser(app, other).delete("/api/v1/session").status_code == 204
    sent = {"missing": "", "forged": FORGED}.get(given, csrf_token(other))
    client = browser(app, token, csrf=sent)
    client.set_cookie(XSRF, sent)

    found = {route.endpoint: code_of(client, route) for route in UNSAFE}

    assert found == dict.fromkeys(found, (403, "csrf_refused"))
    assert len(found) > 20


def test_a_recorded_request_is_worthless_once_its_session_is_over(
    app: Flask, application: Application, account: str
) -> None:
    token = make_session(application, account)
    assert browser(app, token).delete("/api/v1/session").status_code == 204

    found = {code_of(browser(app, token), route)[1] for route in UNSAFE if route.who is not Who.ANYONE}

    assert found == {"unauthenticated"}


@pytest.mark.parametrize("site", ["cross-site"])
def test_another_site_s_form_is_refused_signed_in_or_not(
    app: Flask, client: Client, application: Application, account: str, site: str
) -> None:
    """Sign-in too: otherwise a page elsewhere could sign its visitors in to an account of the attacker's."""
    signed_in = browser(app, make_session(application, account))
    headers = {"Sec-Fetch-Site": site}
    open_to_all = [route for route in UNSAFE if route.kind is RouteKind.PUBLIC_WRITE]

    assert {code_of(signed_in, route, **headers) for route in UNSAFE} == {(403, "csrf_refused")}
    assert {code_of(client, route, **headers) for route in open_to_all} == {(403, "csrf_refused")}
    assert "open_session" in {route.endpoint for route in open_to_all}


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_our_own_pages_and_programs_may_sign_in(client: Client, site: str) -> None:
    body = {"email": "ada@example.org", "password": "heron quay"}

    assert client.post("/api/v1/session", json=body, headers={"Sec-Fetch-Site": site}).status_code == 401
