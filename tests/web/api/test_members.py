"""Members over HTTP, and that access ends at once: for requests, for streams that are open, and for waits."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pigi.domain.access import Caller, Person, Role
from pigi.operations.accounts import find_person, sign_out_everywhere
from pigi.operations.api_keys import authenticate
from pigi.operations.generations import request_generation
from pigi.operations.jobs import cancel_job, list_jobs
from pigi.operations.organisations import end_membership
from tests.support.http import BODY, read_events
from tests.support.people import browser as browser_of
from tests.support.people import make_key, make_member, make_session, sign_in
from web.http import streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from pigi.application import Application

SOON = 10.0
"""Seconds that a busy machine may take for what takes two."""


@pytest.fixture
def owner(application: Application, own: str) -> str:
    """An owner's account; its id."""
    return make_member(application, own, Role.OWNER, name="Olga")


@pytest.fixture
def member(application: Application, own: str) -> str:
    """A member's account; its id."""
    return make_member(application, own, name="Mia")


@pytest.fixture
def place(own: str) -> str:
    """Where the organisation's members are."""
    return f"/api/v1/organisations/{own}/members"


def test_members_are_listed_in_pages(app: Flask, application: Application, owner: str, member: str, place: str) -> None:
    browser = sign_in(app, application, member)
    whole = browser.get(place).json
    assert [(one["account_id"], one["name"], one["role"]) for one in whole["members"]] == [
        (owner, "Olga", "owner"),
        (member, "Mia", "member"),
    ]
    assert whole["next"] is None
    first = browser.get(f"{place}?limit=1").json
    rest = browser.get(first["next"]).json
    assert (first["members"] + rest["members"], rest["next"]) == (whole["members"], None)


def test_a_role_is_changed_once(app: Flask, application: Application, owner: str, member: str, place: str) -> None:
    browser, keyed = sign_in(app, application, owner), {"Idempotency-Key": "one"}
    changed = browser.patch(f"{place}/{member}", json={"role": "admin"}, headers=keyed)
    again = browser.patch(f"{place}/{member}", json={"role": "admin"}, headers=keyed)
    assert (changed.status_code, changed.json["role"]) == (200, "admin")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (changed.json, "true")
    assert browser.patch(f"{place}/{member}", json={"role": "king"}).status_code == 422
    lone = browser.patch(f"{place}/{owner}", json={"role": "admin"})
    assert (lone.status_code, lone.json["code"]) == (409, "last_owner")


def test_whoever_is_removed_or_leaves_is_out_with_the_next_request(
    app: Flask, application: Application, owner: str, member: str, place: str, own: str
) -> None:
    theirs, browser = sign_in(app, application, member), sign_in(app, application, owner)
    assert theirs.get(place).status_code == 200
    assert browser.delete(f"{place}/{member}").status_code == 204
    assert browser.delete(f"{place}/{member}").status_code == 404
    assert theirs.get(place).status_code == 404
    second = make_member(application, own)
    leaving = sign_in(app, application, second)
    assert leaving.delete(f"{place}/{member}").status_code == 404
    assert leaving.delete(f"{place}/{owner}").status_code == 403
    assert leaving.delete(f"{place}/{second}", headers={"Idempotency-Key": "go"}).status_code == 204
    assert leaving.get(place).status_code == 404


def test_keys_end_with_their_makers_membership_or_change_hands(
    app: Flask, application: Application, owner: str, member: str, place: str, own: str
) -> None:
    browser = sign_in(app, application, owner)
    keys, gone = f"/api/v1/organisations/{own}/api-keys", {}
    for label in ("revoked", "kept"):
        admin = make_member(application, own, Role.ADMIN, name="Aron")
        made = sign_in(app, application, admin).post(keys, json={"label": label, "scopes": ["configuration:read"]})
        gone[label] = (admin, {"Authorization": f"Bearer {made.json['key']}"})
    admin, bearer = gone["revoked"]
    shown = browser.get(f"{place}/{admin}")
    assert [key["label"] for key in shown.json["api_keys"]] == ["revoked"]
    assert sign_in(app, application, member).get(f"{place}/{admin}").json["api_keys"] is None
    assert sign_in(app, application, member).get(f"{place}/{member}").json["api_keys"] == []
    assert browser.delete(f"{place}/{admin}").status_code == 204
    assert app.test_client().get("/api/v1/whoami", headers=bearer).status_code == 401
    admin, bearer = gone["kept"]
    assert browser.delete(f"{place}/{admin}", json={"api_keys": "burn"}).status_code == 422
    assert browser.delete(f"{place}/{admin}", json={"api_keys": "hand_over"}).status_code == 204
    assert app.test_client().get("/api/v1/whoami", headers=bearer).status_code == 200
    listed = {key["label"]: key for key in browser.get(keys).json["api_keys"]}
    assert (listed["kept"]["handed_to"], listed["kept"]["handed_to_name"]) == (owner, "Olga")
    assert listed["kept"]["created_by_name"] == f"former member {admin[-8:]}"
    assert browser.get(f"{place}/{admin}").status_code == 404


def removed(application: Application, own: str, owner: str, member: str, _token: str) -> None:
    """Somebody else ends the membership."""
    end_membership(application, Caller(own, Role.OWNER, owner), member)


def signed_out(application: Application, _own: str, _owner: str, member: str, token: str) -> None:
    """They sign out everywhere, on another machine."""
    sign_out_everywhere(application, Person(member, find_person(application, token).session_id))


@pytest.mark.parametrize("end", [removed, signed_out])
def test_an_open_stream_ends_when_its_reader_may_no_longer_follow(
    app: Flask,
    application: Application,
    own: str,
    owner: str,
    member: str,
    end: Callable[..., None],
    after: Any,
) -> None:
    token = make_session(application, member)
    browser = browser_of(app, token)
    job = request_generation(application, Caller(own, Role.OWNER, owner), "agent", "reviewer", "Reviews changes.")
    began = time.monotonic()
    answer = browser.get(f"/api/v1/jobs/{job.id}/events")
    pieces = answer.response
    told = [next(iter(pieces))]
    after(0.3, end, application, own, owner, member, token)
    told += [bytes(piece) for piece in pieces]

    assert [event.event for event in read_events(b"".join(map(bytes, told)).decode())] == ["move"]
    assert time.monotonic() - began < SOON
    assert app.extensions["pigi"].grant_watcher.watched == 0
    assert browser.get(f"/api/v1/jobs/{job.id}/events").status_code in {401, 404}


def test_a_stream_ends_when_its_key_is_revoked(
    app: Flask, application: Application, own: str, owner: str, after: Any
) -> None:
    token = make_key(application, own)
    key_id = authenticate(application, token).key_id
    job = request_generation(application, Caller(own, Role.OWNER, owner), "agent", "reviewer", "Reviews changes.")
    browser = sign_in(app, application, owner)
    began = time.monotonic()
    after(0.3, browser.delete, f"/api/v1/organisations/{own}/api-keys/{key_id}")
    answer = app.test_client().get(f"/api/v1/jobs/{job.id}/events", headers={"Authorization": f"Bearer {token}"})

    assert [event.event for event in read_events(answer.get_data(as_text=True))] == ["move"]
    assert time.monotonic() - began < SOON


def test_a_stream_goes_on_for_whoever_may(
    app: Flask, application: Application, own: str, owner: str, member: str, monkeypatch: pytest.MonkeyPatch, after: Any
) -> None:
    """Also past several looks at who may."""
    monkeypatch.setattr(streams, "GRANTED_SECONDS", 0.05)
    job = request_generation(application, Caller(own, Role.OWNER, owner), "agent", "reviewer", "Reviews changes.")
    after(2.5, cancel_job, application, job.id, own)
    answer = sign_in(app, application, member).get(f"/api/v1/jobs/{job.id}/events")
    assert [event.event for event in read_events(answer.get_data(as_text=True))][-1] == "end"


def test_nothing_is_told_once_nobody_knows_who_may(
    app: Flask, application: Application, own: str, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the control database does not answer, the stream ends, and its client is checked at the door."""

    def away(_things: Any) -> Any:
        raise OSError

    monkeypatch.setattr(app.extensions["pigi"].grant_watcher, "_look", away)
    monkeypatch.setattr(streams, "STALE_SECONDS", 0.5)
    job = request_generation(application, Caller(own, Role.OWNER, owner), "agent", "reviewer", "Reviews changes.")
    answer = sign_in(app, application, owner).get(f"/api/v1/jobs/{job.id}/events")
    text = answer.get_data(as_text=True)
    assert text.endswith("retry: 2000\n\n")
    assert "event: end" not in text


def test_whoever_waits_is_told_nothing_more_once_removed(
    app: Flask, application: Application, own: str, owner: str, member: str
) -> None:
    def end_both() -> None:
        while not (jobs := list_jobs(application, own)):
            time.sleep(0.02)
        removed(application, own, owner, member, "")
        cancel_job(application, jobs[0].id, own)

    threading.Thread(target=end_both, daemon=True).start()
    asking = f"/api/v1/organisations/{own}/generations"
    answer = sign_in(app, application, member).post(asking, json=BODY, headers={"Prefer": "wait=20"})
    assert (answer.status_code, answer.json["state"]) == (202, "queued")
