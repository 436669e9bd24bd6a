"""Operators start and follow deletions on the command line, for whoever asked by mail."""

from __future__ import annotations

import json

import pytest

from pigi.application import Application
from pigi.domain.access import Role
from pigi.settings import Settings
from tests.support.people import join, make_account

WHY = ("--reason", "asked by mail on 30 November")
ADDRESS = "olga@example.org"


@pytest.fixture
def application(pigi):
    assert pigi("migrate").returncode == 0
    opened = Application.open(Settings(home=pigi.home / "var"))
    yield opened
    opened.dispose()


def test_an_organisation_is_deleted_with_its_grace_and_shown(pigi, application):
    organisation = pigi("organisations", "add", "Example").stdout.strip()
    started = json.loads(pigi("erase", "--organisation", organisation, *WHY, "--json").stdout)
    again = json.loads(pigi("erase", "--organisation", organisation, *WHY, "--json").stdout)
    assert (started["state"], started["subject"], again["id"]) == ("grace", organisation, started["id"])
    (shown,) = json.loads(pigi("deletions", "--json").stdout)["deletions"]
    assert (shown["id"], shown["overdue"]) == (started["id"], False)
    assert "operator.deletion_started" in pigi("audit", "list").stdout


def test_an_account_takes_along_only_what_is_named(pigi, application):
    organisation = pigi("organisations", "add", "Example").stdout.strip()
    account = make_account(application, email=ADDRESS)
    join(application, organisation, account, Role.OWNER)
    refused = pigi("erase", "--account", ADDRESS, *WHY)
    assert refused.returncode == 1
    assert f"{organisation}  Example" in refused.stderr
    done = json.loads(pigi("erase", "--account", ADDRESS, "--along", organisation, *WHY, "--json").stdout)
    assert (done["scope"], done["subject"]) == ("account", account)
    assert len(json.loads(pigi("deletions", "--json").stdout)["deletions"]) == 2


def test_what_is_not_there_or_not_said_is_refused_in_words(pigi, application):
    assert "no organisation nope" in pigi("erase", "--organisation", "nope", *WHY).stderr
    assert pigi("erase", *WHY).returncode == 2
    assert pigi("erase", "--account", ADDRESS).returncode == 2
    assert "There is none." in pigi("deletions").stdout
