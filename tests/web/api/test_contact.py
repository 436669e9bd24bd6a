"""Writing to whoever runs Pigi over HTTP, without an account and without a cookie."""

from __future__ import annotations

from datetime import datetime

import pytest

from pigi.clock import now
from pigi.operations.contact import read_ticket
from tests.support.people import make_account, sign_in

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
TICKETS = "/api/v1/tickets"
ALL = "/api/v1/operate/tickets"
BODY = {"kind": "security", "email": "finder@example.org", "message": "The door stands open.\n\nLook."}


def test_anybody_writes_and_an_operator_answers(app, application, client):
    made = client.post(TICKETS, json=BODY)
    assert made.status_code == 201
    assert "Set-Cookie" not in made.headers
    facts = made.get_json()
    assert "message" not in facts
    assert client.get(made.headers["Location"]).get_json() == facts
    page = client.get(f"/contact/{facts['number']}").get_data(as_text=True)
    assert facts["number"] in page
    assert "door" not in page
    console = sign_in(app, application, make_account(application, operator=True))
    (told,) = console.get(ALL).get_json()["tickets"]
    assert (told["email"], told["message"], told["account_id"]) == (BODY["email"], BODY["message"], None)
    assert "The door stands open." in console.get("/operate/tickets").get_data(as_text=True)
    answered = console.post(f"{ALL}/{told['id']}/answer", json={"answer": "It is shut."})
    assert answered.get_json()["state"] == "answered"
    assert client.get(made.headers["Location"]).get_json()["state"] == "answered"
    again = console.post(f"{ALL}/{told['id']}/answer", json={"answer": "Again."})
    assert (again.status_code, again.get_json()["code"]) == (409, "ticket_over")
    assert console.post(f"{ALL}/{told['id']}/close", json={}).get_json()["state"] == "closed"


def test_whoever_is_signed_in_is_known_and_another_site_cannot_write_for_them(app, application, client):
    account = make_account(application)
    browser = sign_in(app, application, account)
    made = browser.post(TICKETS, json=BODY).get_json()
    assert read_ticket(application, made["number"]).account_id == account
    forged = client.post(TICKETS, json=BODY, headers={"Sec-Fetch-Site": "cross-site"})
    assert (forged.status_code, forged.get_json()["code"]) == (403, "csrf_refused")


@pytest.mark.parametrize("wrong", [{"kind": "sales"}, {"email": "nobody"}, {"message": " "}, {"phone": "1"}])
def test_what_is_not_asked_for_is_refused(client, wrong):
    assert client.post(TICKETS, json={**BODY, **wrong}).status_code == 422


def test_security_txt_is_plain_text_and_found_at_its_old_place(client):
    moved = client.get("/security.txt")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/.well-known/security.txt")
    answer = client.get(moved.headers["Location"])
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.get_data(as_text=True).splitlines()
    (expires,) = (line.removeprefix("Expires: ") for line in lines if line.startswith("Expires: "))
    assert datetime.fromisoformat(expires) > now()
