"""The policy over HTTP and on pages: dated, with an address for each sentence, and its notice until it is closed."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

import pytest
import rfc8785

from pigi.clock import now
from pigi.domain.promises import PROMISES
from pigi.operations.audit import CLI
from pigi.operations.policy import Proposal, publish_policy
from tests.support.people import make_account, sign_in

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
OWN = "/api/v1/policy"
BANNER = "The privacy policy changes on"


def publish(application, document, text, effective_at=None):
    document["sentences"][0]["text"] = text
    document["effective_at"] = effective_at
    return publish_policy(application, CLI, Proposal(document))


def test_what_is_read_can_be_published_and_says_on_what_each_sentence_rests(client, application):
    document = client.get(OWN).get_json()
    assert (document["version"], document["state"], document["change"]) == (1, "current", "first")
    assert {promise for one in document["sentences"] for promise in one["promises"]} == set(PROMISES)
    text = {name: document[name] for name in ("sections", "sentences")}
    assert hashlib.sha256(rfc8785.dumps(text)).hexdigest() == document["digest"]
    assert publish_policy(application, CLI, Proposal(document)).published is False
    promises = client.get("/api/v1/promises").get_json()
    assert promises["policy_version"] == 1
    for promise in promises["promises"]:
        resting = [one["id"] for one in document["sentences"] if promise["id"] in one["promises"]]
        assert promise["sentences"] == resting


def test_a_version_that_is_to_come_is_announced_and_the_current_one_stays(client, application, app):
    document = client.get(OWN).get_json()
    before = document["sentences"][0]["text"]
    soon = (now() + timedelta(days=40)).isoformat()
    publish(application, document, "Everything is sold to advertisers.", soon)
    current = client.get(OWN).get_json()
    assert (current["version"], current["sentences"][0]["text"]) == (1, before)
    assert [(one["version"], one["state"]) for one in current["coming"]] == [(2, "coming")]
    second = client.get(f"{OWN}/versions/2").get_json()
    assert second["change"] == "material"
    assert second["changes"][0]["reasons"]
    assert datetime.fromisoformat(second["effective_at"]) == datetime.fromisoformat(soon)
    listed = client.get(f"{OWN}/versions").get_json()["versions"]
    assert [(one["version"], one["state"]) for one in listed] == [(2, "coming"), (1, "current")]
    assert client.get(f"{OWN}/versions/3").status_code == 404
    page = client.get("/policy").get_data(as_text=True)
    assert "The policy changes on" in page
    assert before.split()[0] in page
    versions = client.get("/policy/versions?version=2&against=1").get_data(as_text=True)
    assert "<del>" in versions
    assert "sold to advertisers" in versions
    assert client.get("/policy/versions?version=9").status_code == 404


def test_the_page_has_its_date_and_an_anchor_and_the_promises_of_each_sentence(client):
    document = client.get(OWN).get_json()
    page = client.get("/policy").get_data(as_text=True)
    anchors = set(re.findall(r' id="([^"]+)"', page))
    assert {f"s-{one['id']}" for one in document["sentences"]} <= anchors
    assert page.index(document["effective_at"][:19]) < page.index('class="contents"')
    for promise in PROMISES:
        assert f'href="/promises#{promise}"' in page
    first = next(one["id"] for one in document["sentences"] if one["promises"])
    assert f'href="/policy#s-{first}"' in client.get("/promises").get_data(as_text=True)


def test_the_notice_is_shown_until_it_is_closed_and_sets_no_cookie(app, application, client):
    person = make_account(application)
    browser = sign_in(app, application, person)
    document = client.get(OWN).get_json()
    assert BANNER not in browser.get("/account").get_data(as_text=True)
    publish(application, document, "Everything is sold to advertisers.")
    shown = browser.get("/account")
    assert BANNER in shown.get_data(as_text=True)
    assert "Set-Cookie" not in shown.headers
    assert BANNER not in client.get("/policy").get_data(as_text=True)
    closed = browser.post(f"{OWN}/versions/2/close-notice", json={})
    assert (closed.status_code, closed.headers.get("Set-Cookie")) == (204, None)
    assert BANNER not in browser.get("/account").get_data(as_text=True)
    assert BANNER in sign_in(app, application, make_account(application)).get("/policy").get_data(as_text=True)


def test_operators_see_how_the_notices_stand(app, application, client):
    make_account(application)
    publish(application, client.get(OWN).get_json(), "Everything is sold to advertisers.")
    console = sign_in(app, application, make_account(application, operator=True))
    page = console.get("/operate/policy").get_data(as_text=True)
    assert "text is not what is published" in page
    assert 'data-label="Queued" class="nums">1<' in page
