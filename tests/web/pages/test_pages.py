"""The landing page, static files, health, and the headers that every answer carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pigi.application import Application
from tests.support.http import make_well
from tests.support.pages import BROWSER
from web.app import create_app
from web.pages.shell.assets import asset_path

if TYPE_CHECKING:
    from pigi.settings import Settings
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


def policy_of(client: Client) -> dict[str, list[str]]:
    """The content security policy, by directive."""
    parts = client.get("/").headers["Content-Security-Policy"].split(";")
    return {name: sources for name, *sources in (part.split() for part in parts)}


def test_the_landing_page_says_how_to_ask(application: Application, client: Client) -> None:
    answer = client.get("/")
    page = answer.get_data(as_text=True)

    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert f"{application.settings.public_url}/api/v1/organisations" in page
    assert "http://" not in page.replace(application.settings.public_url, "")
    assert "https://" not in page


def test_no_answer_sets_a_cookie_or_lets_anything_in(client: Client) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/pigi.css", "/api/v1/openapi.json", "/sign-in"):
        headers = client.get(path).headers
        assert "Set-Cookie" not in headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_policy_lets_in_what_is_ours_and_one_font_host(client: Client) -> None:
    policy = policy_of(client)
    strangers = {source for sources in policy.values() for source in sources} - {"'self'", "'none'"}

    assert strangers == {"https://fonts.bunny.net"}
    assert policy["script-src"] == policy["connect-src"] == policy["form-action"] == ["'self'"]
    assert policy["base-uri"] == policy["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("fonts", ["self", "none"])
def test_without_the_font_host_nobody_else_is_named(settings: Settings, fonts: str) -> None:
    application = Application.open(settings.model_copy(update={"fonts": fonts}))
    client = create_app(application).test_client()
    policy, page = policy_of(client), client.get("/").get_data(as_text=True)
    loaded = re.findall(r'<link rel="(?:stylesheet|preload)" href="([^"]+)"', page)
    found = [client.get(path) for path in loaded]
    face = client.get("/static/fonts.css").get_data(as_text=True)
    told = {one["name"]: one["gets"] for one in client.get("/api/v1/recipients").get_json()["recipients"]}
    drawn = [client.get(f"/static/{name}") for name in re.findall(r'url\("([^"]+)"\)', face)]
    application.dispose()

    assert {source for sources in policy.values() for source in sources} == {"'self'", "'none'"}
    assert policy["font-src"] == (["'self'"] if fonts == "self" else ["'none'"])
    assert f'data-fonts="{fonts}"' in page
    assert "bunny" not in page
    assert told["bunny fonts"].startswith("nothing: ")
    assert [one.content_type for one in found] == (
        ["font/woff2", "text/css; charset=utf-8", "text/css; charset=utf-8"]
        if fonts == "self"
        else ["text/css; charset=utf-8"]
    )
    assert {one.headers["Cache-Control"] for one in found} == {"public, max-age=31536000, immutable"}
    assert len(drawn) == 2
    assert {(one.status_code, one.data[:4]) for one in drawn} == {(200, b"wOF2")}


def test_static_files_are_those_of_the_folder(client: Client) -> None:
    style = client.get("/static/pigi.css")
    again = client.get("/static/pigi.css", headers={"If-None-Match": style.headers["ETag"]})

    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    assert again.status_code == 304
    for path in ("..%2fapp.py", "../app.py", "vendor/../../app.py", "vendor/SHA256SUMS", "vendor", "v-0/pigi.css"):
        assert client.get(f"/static/{path}").status_code == 404


def test_a_file_is_kept_for_ever_only_under_the_hash_of_this_release(client: Client) -> None:
    now, other = client.get(asset_path("forms.js")), client.get("/static/v-0123456789abcdef/forms.js")

    assert "immutable" in now.headers["Cache-Control"]
    assert now.content_type == "text/javascript; charset=utf-8"
    assert (other.status_code, "immutable" in other.headers["Cache-Control"]) == (200, False)


def test_a_browser_gets_a_page_for_a_failure_and_a_program_a_problem(client: Client) -> None:
    page = client.get("/nowhere", headers=BROWSER)
    problem = client.get("/nowhere")
    of_api = client.get("/api/v1/nowhere", headers=BROWSER)

    assert (page.status_code, page.content_type) == (404, "text/html; charset=utf-8")
    assert "There is no such thing" in page.get_data(as_text=True)
    assert problem.content_type == of_api.content_type == "application/problem+json"


def test_a_problem_is_explained_as_a_page_too(client: Client) -> None:
    assert "Choose another" in client.get("/problems/name_taken", headers=BROWSER).get_data(as_text=True)
    assert client.get("/problems/nothing", headers=BROWSER).status_code == 404


def test_readiness_follows_the_heartbeats(application: Application, client: Client) -> None:
    silent = client.get("/readyz")
    make_well(application)
    ready = client.get("/readyz")

    assert (silent.status_code, silent.json["code"]) == (503, "not_ready")
    assert {"name": "pump", "ok": False, "age_seconds": None} in silent.json["checks"]
    assert (ready.status_code, ready.json["status"]) == (200, "ready")
    assert client.get("/healthz").json["status"] == "ok"


def test_a_well_formed_request_id_is_kept(client: Client) -> None:
    kept = client.get("/healthz", headers={"X-Request-ID": "0123-abcd"})
    made = client.get("/healthz", headers={"X-Request-ID": "someone@example.com"})

    assert kept.headers["X-Request-ID"] == "0123-abcd"
    assert "@" not in made.headers["X-Request-ID"]
