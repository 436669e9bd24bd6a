"""The promises over HTTP: 39 lines, signed, and honest about what was not looked at."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.clock import now
from pigi.domain.promises import PROMISES
from pigi.operations.audit import CLI
from pigi.operations.promises import all_controls, attest, check_controls
from pigi.store.signing import is_document_signed
from tests.support.promises import by_promise

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)


def test_the_document_has_every_promise_and_verifies_with_the_published_keys(client, application):
    check_controls(application, all_controls().values())
    document = client.get("/api/v1/promises").get_json()
    keys = client.get("/.well-known/pigi-keys.json").get_json()["keys"]
    assert [promise["id"] for promise in document["promises"]] == list(PROMISES)
    assert is_document_signed(document, keys)
    document["promises"][0]["state"] = "attested"
    assert not is_document_signed(document, keys)


def test_what_was_never_checked_is_stale_in_every_place(client):
    document = client.get("/.well-known/privacy-evidence.json").get_json()
    assert {promise["state"] for promise in document["promises"]} == {"stale"}
    page = client.get("/promises").get_data(as_text=True)
    assert "39 of 39" in page
    assert '<details id="P26"' in page


def test_with_the_schedule_stopped_every_line_is_stale_within_a_quarter_of_an_hour(client, application, monkeypatch):
    checked = [control for control in all_controls().values() if control.kind in {"static", "observed"}]
    check_controls(application, checked)
    for control in all_controls().values():
        if control.kind == "attested" and control.promise in by_promise():
            attest(application, CLI, control.name, "It is so.", (now() + timedelta(days=30)).date())
    states = {promise["state"] for promise in client.get("/api/v1/promises").get_json()["promises"]}
    assert "holding" in states
    later = now() + timedelta(minutes=15)
    monkeypatch.setattr("pigi.operations.promises.standing.now", lambda: later)
    document = client.get("/api/v1/promises").get_json()
    assert {promise["state"] for promise in document["promises"]} == {"stale"}
    page = client.get("/promises").get_data(as_text=True)
    assert "39 of 39" in page
    assert page.count(">Stale<") > 39
