"""HTTPS only, in production (P18)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pigi.settings import Settings
from tests.support.http import bearer, make_well
from web.api import health
from web.app import create_app
from web.http.transport import HEALTH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from tests.support.http import Client

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
HOME = "https://pigi.example"
STRICT = "Strict-Transport-Security"


def serve(application: Application, **chosen: object) -> Iterator[Client]:
    settings = Settings(**{**application.settings.model_dump(), "mode": "production", "public_url": HOME, **chosen})
    made = create_app(replace(application, settings=settings))
    yield made.test_client()
    made.extensions["pigi"].close()


@pytest.fixture
def strict(application: Application) -> Iterator[Client]:
    yield from serve(application)


@pytest.fixture
def behind(application: Application) -> Iterator[Client]:
    """Behind two proxies."""
    yield from serve(application, proxies=2)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("/", "/"),
        ("/sign-in?next=%2Fo%2F1", "/sign-in?next=%2Fo%2F1"),
        ("/caf%C3%A9%20x", "/caf%C3%A9%20x"),
        ("/a%0d%0aSet-Cookie:%20x=1", "/a%0D%0ASet-Cookie:%20x=1"),
    ],
)
def test_reading_is_sent_to_our_own_https_address(strict: Client, asked: str, told: str) -> None:
    for method in ("GET", "HEAD"):
        answer = strict.open(asked, method=method, base_url="http://somebody.example")

        assert (answer.status_code, answer.headers["Location"]) == (308, HOME + told)
        assert STRICT not in answer.headers


def test_no_path_leads_anywhere_else(strict: Client) -> None:
    answer = strict.get("/", base_url="http://pigi.example", environ_overrides={"PATH_INFO": "//evil.example/@x"})

    assert answer.headers["Location"] == f"{HOME}//evil.example/@x"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_acting_in_the_clear_is_refused_not_redirected(strict: Client, method: str) -> None:
    answer = strict.open("/api/v1/session", method=method, base_url="http://pigi.example", json={"password": "zebra"})

    assert (answer.status_code, answer.json["code"]) == (403, "https_required")
    assert answer.content_type == "application/problem+json"
    assert "Location" not in answer.headers
    assert answer.json["instance"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_program_in_the_clear_is_refused_and_not_led_on(strict: Client, method: str) -> None:
    answer = strict.open("/api/v1/jobs", method=method, base_url="http://pigi.example", headers=bearer("pigi_x_y"))

    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert "Location" not in answer.headers


def test_over_https_all_is_as_ever_and_the_browser_is_told_to_insist(strict: Client) -> None:
    answer = strict.get("/api/v1/session", base_url=HOME)

    assert (answer.status_code, answer.headers[STRICT]) == (401, "max-age=31536000; includeSubDomains")


def test_load_balancers_may_ask_for_health_in_the_clear(strict: Client, application: Application) -> None:
    make_well(application)

    for path in HEALTH:
        assert strict.get(path, base_url="http://10.0.0.1").status_code == 200
    assert {route.path for route in health.ROUTES} == HEALTH


@pytest.mark.parametrize(
    ("told", "secure"),
    [
        ("https, http", True),
        ("http, https", False),
        ("https, http, https", False),
        ("http, https, http", True),
        ("https", True),
        ("http", False),
        ("", False),
    ],
)
def test_behind_proxies_their_word_counts_and_no_client_s(behind: Client, told: str, secure: bool) -> None:
    answer = behind.get("/api/v1/session", base_url="http://pigi.example", headers={"X-Forwarded-Proto": told})

    assert (answer.status_code == 401) is secure


def test_without_proxies_nobody_is_believed(strict: Client) -> None:
    answer = strict.get("/", base_url="http://pigi.example", headers={"X-Forwarded-Proto": "https"})

    assert answer.status_code == 308


def test_in_development_nothing_is_asked(client: Client) -> None:
    answer = client.get("/api/v1/session", base_url="http://localhost")

    assert answer.status_code == 401
    assert STRICT not in answer.headers


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/session", "/nowhere"])
def test_every_answer_carries_the_headers_that_browsers_need(client: Client, path: str) -> None:
    headers = client.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    features = dict(part.split("=") for part in headers["Permissions-Policy"].split(", "))
    assert features.pop("clipboard-write") == "(self)"
    assert {"camera", "geolocation", "microphone", "payment", "usb"} <= set(features)
    assert set(features.values()) == {"()"}
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "'unsafe" not in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
