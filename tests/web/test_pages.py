"""The landing page, health, and the headers that every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.http import make_well

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


def test_the_landing_page_says_how_to_ask(application: Application, client: Client) -> None:
    answer = client.get("/")
    page = answer.get_data(as_text=True)

    assert (answer.status_code, answer.content_type) == (200, "text/html; charset=utf-8")
    assert f"{application.settings.public_url}/api/v1/organisations" in page
    assert "<script" not in page
    assert "style=" not in page
    assert "http://" not in page.replace(application.settings.public_url, "")


def test_no_answer_sets_a_cookie_or_lets_anything_in(client: Client) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/pigi.css", "/api/v1/openapi.json"):
        headers = client.get(path).headers
        assert "Set-Cookie" not in headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_static_files_are_those_of_the_folder(client: Client) -> None:
    style = client.get("/static/pigi.css")
    again = client.get("/static/pigi.css", headers={"If-None-Match": style.headers["ETag"]})

    assert (style.status_code, style.content_type) == (200, "text/css; charset=utf-8")
    assert again.status_code == 304
    assert client.get("/static/..%2fapp.py").status_code == 404


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
