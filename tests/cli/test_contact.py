"""`pigi tickets`: what people wrote is read, answered and closed without a browser."""

from __future__ import annotations

import json

import pytest

from pigi.application import Application
from pigi.settings import Settings
from tests.support.contact import make_ticket


@pytest.fixture
def application(pigi):
    assert pigi("migrate").returncode == 0
    opened = Application.open(Settings(home=pigi.home / "var"))
    yield opened
    opened.dispose()


def test_a_message_is_listed_shown_answered_and_closed(pigi, application):
    assert pigi("tickets", "list").stdout.startswith("Nobody has written")
    made = make_ticket(application, message="Where is\nthe door?")
    listed = pigi("tickets", "list", "--open")
    assert made.number in listed.stdout
    assert "door" not in listed.stdout
    assert "the door?" in pigi("tickets", "show", made.number.lower()).stdout
    answered = json.loads(pigi("tickets", "answer", made.number, "--text", "To the left.", "--json").stdout)
    assert (answered["state"], answered["answer"], answered["email"]) == ("answered", "To the left.", made.email)
    again = pigi("tickets", "answer", made.number, "--text", "Again.")
    assert (again.returncode, "was answered or closed" in again.stderr) == (1, True)
    assert json.loads(pigi("tickets", "close", made.id, "--json").stdout)["state"] == "closed"
    unknown = pigi("tickets", "show", "ABCD")
    assert (unknown.returncode, "pigi tickets list" in unknown.stderr) == (1, True)
