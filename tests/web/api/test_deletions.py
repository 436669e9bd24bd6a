"""Deleting and restoring an organisation over HTTP, and the pages for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

import tasks.organisations  # noqa: F401 - registers bodies
from pigi.clock import now
from pigi.domain.access import Action, Person, Role
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import CLOSE_ORGANISATION
from pigi.operations.access import authorise
from pigi.operations.deletion import delete_organisation
from pigi.operations.jobs import list_jobs
from pigi.store.control import Organisation
from pigi.store.deletions import Deletion, Receipt
from tests.support.http import BODY, bearer, read_events
from tests.support.jobs import make_worker_context, row_of
from tests.support.pages import BROWSER, Page
from tests.support.people import make_account, make_key, make_member, sign_in
from tests.support.stack import until

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client

ALL = "/api/v1/organisations"
SOON = 10.0
"""Seconds that a busy machine may take for what takes two."""


@pytest.fixture
def owner(application: Application, own: str) -> str:
    """An owner's account; its id."""
    return make_member(application, own, Role.OWNER, name="Olga")


@pytest.fixture
def browser(app: Flask, application: Application, owner: str) -> Client:
    """A browser in which the owner is signed in."""
    return sign_in(app, application, owner)


@pytest.fixture
def place(own: str) -> str:
    """The organisation's path."""
    return f"{ALL}/{own}"


def close(application: Application, job_id: str) -> None:
    """Do the closing's job."""
    run(HANDLERS[CLOSE_ORGANISATION.name], job_id, make_worker_context(application))


def test_a_deletion_is_accepted_followed_and_undone(
    application: Application, browser: Client, own: str, place: str
) -> None:
    before = browser.get(place).json
    assert (before["state"], before["purge_at"]) == ("active", None)
    accepted = browser.delete(place)
    job = accepted.json
    assert (accepted.status_code, accepted.headers["Location"]) == (202, f"/api/v1/jobs/{job['id']}")
    assert (job["kind"], job["subject_id"]) == ("organisations.close", own)
    shown = browser.get(place).json
    assert (shown["state"], shown["role"], shown["purge_at"] > shown["created_at"]) == ("deleting", "owner", True)
    assert browser.get(ALL).json == {"organisations": [shown]}
    close(application, job["id"])
    assert browser.get(accepted.headers["Location"]).json["state"] == "succeeded"
    assert '"succeeded"' in browser.get(f"{accepted.headers['Location']}/events").get_data(as_text=True)
    restored = browser.post(f"{place}/restore")
    assert (restored.status_code, restored.json) == (200, {**before, "stopped": []})
    assert browser.get(f"{place}/members").status_code == 200
    assert browser.get(accepted.headers["Location"]).status_code == 200


def test_a_repeat_is_answered_as_the_first_though_the_organisation_is_closed(browser: Client, place: str) -> None:
    keyed = {"Idempotency-Key": "one"}
    first = browser.delete(place, headers=keyed)
    again = browser.delete(place, headers=keyed)
    assert (again.status_code, again.json, again.headers["Idempotency-Replayed"]) == (202, first.json, "true")
    assert browser.delete(place).json["id"] == first.json["id"]
    keyed = {"Idempotency-Key": "two"}
    assert [browser.post(f"{place}/restore", headers=keyed).status_code for _ in range(2)] == [200, 200]
    refused = browser.post(f"{place}/restore")
    assert (refused.status_code, refused.json["code"]) == (409, "not_restorable")


def test_who_waits_for_the_closing_is_told_its_end(application: Application, browser: Client, place: str) -> None:
    def work() -> None:
        found = until(lambda: list_jobs(application, None, kind=CLOSE_ORGANISATION.name), SOON, "a closing")
        close(application, found[0].id)

    worker = threading.Thread(target=work)
    worker.start()
    answer = browser.delete(place, headers={"Prefer": "wait=20"})
    worker.join()
    assert (answer.status_code, answer.json["state"]) == (200, "succeeded")


def test_everybody_else_finds_nothing_any_more(
    app: Flask, application: Application, browser: Client, own: str, place: str, client: Client
) -> None:
    admin = sign_in(app, application, make_member(application, own, Role.ADMIN))
    key = bearer(make_key(application, own))
    assert [admin.get(place).status_code, client.get(place, headers=key).status_code] == [200, 200]
    job = browser.delete(place).headers["Location"]
    assert {admin.get(path).status_code for path in (place, f"{place}/members")} == {404}
    # What an admin never may they may not now, and are told so as ever.
    assert {admin.delete(place).status_code, admin.post(f"{place}/restore").status_code} == {403}
    assert {admin.get(path).status_code for path in (f"{place}/deletion", job, f"{job}/events")} == {403}
    assert admin.get(ALL).json == {"organisations": []}
    assert client.get(place, headers=key).status_code == 401
    assert browser.post(f"{place}/generations", json=BODY).status_code == 404
    assert {browser.get(f"{place}/{part}").status_code for part in ("members", "projects", "audit", "mails")} == {200}
    assert {admin.get(f"{place}/{part}").status_code for part in ("members", "projects", "exports")} == {404}


def test_its_closing_is_not_for_people_to_stop_nor_for_keys_to_read(
    application: Application, browser: Client, own: str, place: str, client: Client
) -> None:
    job = browser.delete(place).headers["Location"]
    assert {browser.post(f"{job}/cancel").status_code, browser.post(f"{job}/retry").status_code} == {404}
    browser.post(f"{place}/restore")
    assert client.get(job, headers=bearer(make_key(application, own))).status_code == 403
    assert browser.get(job).status_code == 200


def test_a_stream_that_is_open_ends_and_that_of_the_deletion_goes_on(
    app: Flask, application: Application, browser: Client, own: str, place: str, asking: str, owner: str
) -> None:
    job = browser.post(asking, json=BODY).json
    told: dict[str, Any] = {}

    admin = make_member(application, own, Role.ADMIN)

    def follow(name: str, path: str) -> None:
        answer = sign_in(app, application, admin if name == "old" else owner).get(path)
        told[name] = answer.get_data(as_text=True)

    old = threading.Thread(target=follow, args=("old", job["links"]["events"]))
    old.start()
    until(lambda: app.extensions["pigi"].grant_watcher.watched, SOON, "the stream is open")
    cleanup = browser.delete(place).json["id"]
    new = threading.Thread(target=follow, args=("new", f"/api/v1/jobs/{cleanup}/events"))
    new.start()
    old.join(SOON)
    assert not old.is_alive()
    assert "event: end" not in told["old"]
    assert new.is_alive()
    close(application, cleanup)
    new.join(SOON)
    assert read_events(told["new"])[-1].event == "end"
    assert row_of(application.control, cleanup).state == "succeeded"


# Pages


def test_the_settings_page_asks_an_owner_for_the_name_and_nobody_else(
    app: Flask, application: Application, browser: Client, own: str
) -> None:
    page = Page(browser.get(f"/o/{own}/settings", headers=BROWSER).get_data(as_text=True))
    forms = [form for form in page.forms if (form.verb, form.action) == ("DELETE", f"{ALL}/{own}")]
    assert len(forms) == 1
    (pattern,) = [value for _tag, name, value in page.attributes if name == "pattern"]
    assert pattern == "Test organisation"
    admin = sign_in(app, application, make_member(application, own, Role.ADMIN))
    assert f'action="{ALL}/{own}" data-next="/dashboard"' not in admin.get(f"/o/{own}/settings").get_data(as_text=True)


@pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
def test_the_overview_offers_the_restoration_and_the_organisations_pages_can_be_read(
    application: Application, browser: Client, own: str, owner: str
) -> None:
    caller = authorise(application, Person(owner, "s", confirmed=True), own, Action.ORGANISATION_DELETE)
    delete_organisation(application, caller)
    shown = browser.get("/dashboard", headers=BROWSER)
    page = Page(shown.get_data(as_text=True))
    assert shown.status_code == 200
    assert [form.action for form in page.forms if "restore" in form.action] == [f"{ALL}/{own}/restore"]
    assert f"/o/{own}/deletion" in page.links
    paths = [f"/o/{own}{part}" for part in ("", "/settings", "/jobs", "/deletion")]
    assert {browser.get(path, headers=BROWSER).status_code for path in paths} == {200}


# The way to the receipt


def test_an_owner_follows_the_deletion_to_its_end_and_anybody_reads_the_receipt(
    app: Flask, application: Application, browser: Client, own: str, place: str, client: Client
) -> None:
    assert browser.get(f"{place}/deletion").status_code == 404
    links = browser.delete(place).json["links"]
    assert links["deletion"] == f"{place}/deletion"
    found = browser.get(links["deletion"]).json
    assert (found["state"], found["held"], {step["state"] for step in found["steps"]}) == ("grace", False, {"waiting"})
    assert found["requested_at"] < found["restorable_until"] < found["final_by"]
    assert client.get(links["receipt"]).status_code == 404
    for state in ("sealed", "purging"):
        with application.control.begin() as session:
            session.execute(update(Organisation).where(Organisation.id == own).values(state="purging"))
            session.execute(update(Deletion).where(Deletion.subject_id == own).values(state=state))
        paths = (links["deletion"], f"/o/{own}/deletion", place)
        assert [browser.get(path).status_code for path in paths] == [200, 200, 404]
    with application.control.begin() as session:
        receipt_id = links["receipt"].rpartition("/")[2]
        session.add(Receipt(id=receipt_id, document='{"id": 1}', created_at=now()))
    assert client.get(links["receipt"]).json == {"id": 1}
    keys = client.get("/.well-known/pigi-keys.json").json["keys"]
    assert keys == application.keyring.signer.jwks()
    operator = sign_in(app, application, make_account(application, operator=True))
    assert operator.get("/operate/deletions", headers=BROWSER).status_code == 200


def test_what_the_deletion_stopped_is_told_and_can_be_asked_for_again(
    application: Application, browser: Client, own: str, place: str, asking: str
) -> None:
    generation = browser.post(asking, json=BODY).json["id"]
    invited = browser.post(f"{place}/invitations", json={"email": "guest@example.org", "role": "member"}).json
    browser.delete(place)
    stopped = {job["kind"]: job for job in browser.post(f"{place}/restore").json["stopped"]}
    assert stopped["generations.draft"]["id"] == generation
    assert stopped["generations.draft"]["again"] == f"{place}/generations"
    assert stopped["mail.send"]["again"] == f"{place}/invitations/{invited['id']}/resend"
    assert browser.post(stopped["mail.send"]["again"], json={}).status_code == 200
    page = Page(browser.get(f"/o/{own}/settings", headers=BROWSER).get_data(as_text=True))
    assert f"{place}/invitations/{invited['id']}/resend" in {form.action for form in page.forms}
