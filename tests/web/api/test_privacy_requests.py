"""Requests about one's data over HTTP, and what a restriction does there."""

from __future__ import annotations

import pytest

from pigi.domain.access import Role
from pigi.store import log_entries
from tests.support.http import BODY
from tests.support.people import make_account, make_member, sign_in

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
OWN = "/api/v1/privacy-requests"
ALL = "/api/v1/operate/privacy-requests"


@pytest.fixture
def signals(monkeypatch):
    """What is written of uses."""
    written = []
    monkeypatch.setattr(
        log_entries, "put", lambda entry: written.append(entry) if entry.table is log_entries.USAGE else 0
    )
    return written


def test_a_restricted_person_s_generation_is_refused_and_nothing_of_theirs_is_counted(
    app, application, own, asking, signals
):
    browser = sign_in(app, application, make_member(application, own, Role.MEMBER))
    assert browser.post(asking, json=BODY).status_code == 202
    assert len(signals) == 1
    made = browser.post(OWN, json={"type": "restriction"}).get_json()
    assert (made["state"], made["type"], made["overdue"]) == ("answered", "restriction", False)
    refused = browser.post(asking, json=BODY)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "processing_restricted")
    assert browser.post(f"/api/v1/organisations/{own}/projects", json={"name": "Harbour"}).status_code == 201
    assert len(signals) == 1
    assert browser.post(f"{OWN}/{made['id']}/withdraw", json={}).get_json()["state"] == "withdrawn"
    assert browser.post(asking, json=BODY).status_code == 202
    assert len(signals) == 2


def test_a_request_is_answered_by_an_operator_and_read_by_whoever_asked(app, application):
    person, operator = make_account(application), make_account(application, operator=True)
    browser, console = sign_in(app, application, person), sign_in(app, application, operator)
    asked = browser.post(OWN, json={"type": "erasure", "detail": "Remove my drafts."})
    assert asked.status_code == 201
    assert [one["id"] for one in console.get(ALL).get_json()["requests"]] == [asked.get_json()["id"]]
    assert "Remove my drafts." in console.get("/operate/requests").get_data(as_text=True)
    answered = console.post(f"{ALL}/{asked.get_json()['id']}/answer", json={"answer": "They are gone."})
    assert answered.status_code == 200
    told = browser.get(asked.headers["Location"]).get_json()
    assert (told["state"], told["answer"]) == ("answered", "They are gone.")
    assert "They are gone." in browser.get("/privacy").get_data(as_text=True)
    again = console.post(f"{ALL}/{told['id']}/answer", json={"answer": "Again."})
    assert (again.status_code, again.get_json()["code"]) == (409, "request_over")


def test_an_operator_enters_on_which_day_a_request_came(app, application):
    console = sign_in(app, application, make_account(application, operator=True))
    entered = {"type": "access", "email": "letters@example.org", "received_on": "2026-01-31"}
    made = console.post(ALL, json=entered).get_json()
    assert (made["received_at"][:10], made["due_at"][:10], made["overdue"]) == ("2026-01-31", "2026-03-01", True)
    for day, pointer in (("31 January", "/received_on"), ("2026-02-30", "/received_on"), ("2999-01-01", None)):
        refused = console.post(ALL, json={**entered, "received_on": day})
        assert refused.status_code == 422
        assert pointer is None or refused.get_json()["errors"][0]["pointer"] == pointer
    page = console.get("/operate/requests").get_data(as_text=True)
    assert "letters@example.org" in page
    assert "Overdue" in page


def test_a_repeat_makes_no_second_request(app, application):
    browser = sign_in(app, application, make_account(application))
    one, two = (
        browser.post(OWN, json={"type": "objection"}, headers={"Idempotency-Key": "once"}) for _time in range(2)
    )
    assert one.get_json()["id"] == two.get_json()["id"]
    assert len(browser.get(OWN).get_json()["requests"]) == 1
