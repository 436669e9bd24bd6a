"""Plans' limits over HTTP: what a client is told, and that the API document says so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pigi.application import Application
from pigi.clock import now
from pigi.domain.access import Role
from pigi.operations.audit import chain as audit
from tests.support.http import BODY
from tests.support.people import make_account, make_invitation, make_member, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from pigi.settings import Settings
    from tests.support.http import Client

CHARGED = {
    "stripe_prices": "price_t=team",
    "plans": '{"free": {"members": 2, "resources": 0, "generations_a_day": 1, "log_days": 10}}',
}
DOCUMENT = "/api/v1/openapi.json"


@pytest.fixture
def application(settings: Settings) -> Iterator[Application]:
    """An application that charges, with a small free plan."""
    opened = Application.open(settings.model_copy(update=CHARGED))
    yield opened
    opened.dispose()


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
    """Where the organisation is."""
    return f"/api/v1/organisations/{own}"


def assert_refused(answer: Any, most: int, what: str) -> None:
    assert (answer.status_code, answer.content_type) == (402, "application/problem+json")
    told = {name: answer.json[name] for name in ("type", "code", "plan", "limit", "what")}
    assert told == {
        "type": "/problems/plan_limit",
        "code": "plan_limit",
        "plan": "Free",
        "limit": most,
        "what": what,
    }
    assert "billing page" in answer.json["detail"]


def test_an_invitation_beyond_the_plan_is_refused_with_what_it_allows(browser: Client, place: str) -> None:
    sent = browser.post(f"{place}/invitations", json={"email": "one@example.com"})
    assert sent.status_code == 201
    refused = browser.post(f"{place}/invitations", json={"email": "two@example.com"})
    assert_refused(refused, 2, "members")
    assert "Retry-After" not in refused.headers
    assert browser.post(f"{place}/invitations/{sent.json['id']}/resend", json={}).status_code == 200
    assert browser.delete(f"{place}/invitations/{sent.json['id']}").status_code == 204


def test_whoever_is_invited_is_told_that_the_plan_is_full(
    app: Flask, application: Application, own: str, owner: str
) -> None:
    token = make_invitation(application, own, owner, "one@example.com")[1]
    make_member(application, own)
    guest = sign_in(app, application, make_account(application, email="one@example.com"))
    assert_refused(guest.post(f"/api/v1/invitations/{token}/accept", json={}), 2, "members")


def test_a_draft_beyond_the_day_says_when_to_go_on_and_a_repeat_counts_once(
    client: Client, headers: dict[str, str], asking: str
) -> None:
    first = client.post(asking, json=BODY, headers={**headers, "Idempotency-Key": "one"})
    again = client.post(asking, json=BODY, headers={**headers, "Idempotency-Key": "one"})
    assert (first.status_code, again.status_code, again.json["id"]) == (202, 202, first.json["id"])
    refused = client.post(asking, json=BODY, headers={**headers, "Idempotency-Key": "two"})
    assert_refused(refused, 1, "generations_a_day")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_401


def test_a_resource_beyond_the_plan_is_refused_and_a_project_is_not(browser: Client, place: str) -> None:
    project = browser.post(f"{place}/projects", json={"name": "Shop"})
    assert project.status_code == 201
    content = {"title": "How we test", "body": "Write the test first."}
    assert_refused(browser.post(project.json["links"]["documents"], json=content), 0, "resources")


def test_the_log_is_shown_as_far_back_as_the_plan_goes_by_api_and_page(
    browser: Client, application: Application, own: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, kind in ((11, "organisation.renamed"), (1, "invitation.made")):
        with application.control.begin() as session, monkeypatch.context() as patch:
            patch.setattr(audit, "now", lambda age=age: now() - timedelta(days=age))
            audit.record(session, application, kind, "operator:cli", own)
    assert [entry["kind"] for entry in browser.get(f"{place}/audit").json["entries"]] == ["invitation.made"]
    page = browser.get(f"/o/{own}/audit").get_data(as_text=True)
    assert page.count("<tr>") == 2


def test_the_document_says_where_a_plan_limits_and_where_waiting_helps(client: Client) -> None:
    limited = {
        (path.removeprefix("/api/v1").removeprefix("/organisations/{organisation}"), "Retry-After" in answer["headers"])
        for path, item in client.get(DOCUMENT).json["paths"].items()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if status == "402"
    }
    kinds = ("agents", "mcp-servers", "documents", "settings")
    assert limited == {
        ("/invitations", False),
        ("/invitations/{token}/accept", False),
        ("/generations", True),
        ("/generations/{generation}/accept", True),
        ("/imports/{import_id}/accept", True),
        ("/projects", True),
        ("/projects/{project}", True),
        ("/projects/{project}/unarchive", True),
        *((f"/projects/{{project}}/{kind}", True) for kind in kinds),
        *((f"/projects/{{project}}/{kind}/{{resource}}", True) for kind in kinds),
        *((f"/projects/{{project}}/{kind}/{{resource}}/unarchive", True) for kind in kinds),
    }
