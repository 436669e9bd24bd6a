"""Forged, missing and replayed CSRF tokens are refused wherever a browser can change something (P36)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.operations.accounts import close_sessions, csrf_token
from tests.access.asks import ask_of
from tests.access.callers import CALLERS
from tests.access.table import read
from tests.support.people import browser, make_session

if TYPE_CHECKING:
    from tests.access.callers import Caller
    from tests.access.conftest import Installation
    from tests.access.table import Row
    from tests.support.http import Client

UNSAFE = [row for row in read() if row.method != "GET"]
SIGNED_IN = [row for row in UNSAFE if row.outcomes["anonymous"] == "401"]
OPEN = [row for row in UNSAFE if row.outcomes["anonymous"] == "ok"]
FORGED = "A" * 43


def refusal(installation: Installation, client: Client, row: Row, caller: Caller, **headers: str) -> tuple[int, str]:
    asked = ask_of(row.name)(installation.home, caller)
    with installation.ask(type(caller)(client, headers), row.method, row.path, asked) as answer:
        return answer.status_code, answer.json["code"]


@pytest.mark.parametrize("row", SIGNED_IN, ids=lambda row: row.name)
def test_only_the_sessions_own_token_will_do(installation: Installation, row: Row) -> None:
    owner = CALLERS["owner"](installation.app, installation.home, installation.away)
    another = make_session(installation.home.application, owner.account)
    tokens = {
        "missing": "",
        "forged": FORGED,
        "of another session": csrf_token(another),
        "cookie itself": owner.session,
    }
    found = {
        how: refusal(installation, browser(installation.app, owner.session, csrf=token), row, owner)
        for how, token in tokens.items()
    }
    assert found == dict.fromkeys(tokens, (403, "csrf_refused"))


@pytest.mark.parametrize("row", SIGNED_IN, ids=lambda row: row.name)
def test_a_forged_cookie_beside_the_forged_header_is_no_help(installation: Installation, row: Row) -> None:
    """Whoever can plant a cookie, such as from a sibling domain, can make the pair agree; it must be the session's."""
    owner = CALLERS["owner"](installation.app, installation.home, installation.away)
    client = browser(installation.app, owner.session, csrf=FORGED)
    client.set_cookie("XSRF-TOKEN", FORGED)
    assert refusal(installation, client, row, owner) == (403, "csrf_refused")


@pytest.mark.parametrize("row", SIGNED_IN, ids=lambda row: row.name)
def test_what_was_recorded_is_worthless_once_the_session_is_over(installation: Installation, row: Row) -> None:
    owner = CALLERS["owner"](installation.app, installation.home, installation.away)
    copied = browser(installation.app, owner.session)
    with installation.home.application.control.begin() as session:
        close_sessions(session, owner.account)
    again = browser(installation.app, make_session(installation.home.application, owner.account))
    again.environ_base["HTTP_X_XSRF_TOKEN"] = csrf_token(owner.session)
    assert refusal(installation, copied, row, owner) == (401, "unauthenticated")
    assert refusal(installation, again, row, owner) == (403, "csrf_refused")


@pytest.mark.parametrize("row", UNSAFE, ids=lambda row: row.name)
def test_a_form_on_another_site_is_refused_even_with_the_token(installation: Installation, row: Row) -> None:
    owner = CALLERS["owner"](installation.app, installation.home, installation.away)
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert refusal(installation, owner.client, row, owner, **cross) == (403, "csrf_refused")


@pytest.mark.parametrize("row", OPEN, ids=lambda row: row.name)
def test_so_it_is_where_nobody_need_be_signed_in(installation: Installation, row: Row) -> None:
    nobody = CALLERS["anonymous"](installation.app, installation.home, installation.away)
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert refusal(installation, nobody.client, row, nobody, **cross) == (403, "csrf_refused")
