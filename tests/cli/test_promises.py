"""`pigi promises`: answering for what no program sees, and a saved document that anybody can check."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pigi.clock import now
from tests.support.people import PASSWORD

OPERATOR = "ops@example.org"
CONTROL = "provider-trains-nothing"


@pytest.fixture
def installation(pigi):
    assert pigi("migrate").returncode == 0
    return pigi


def test_a_saved_document_is_checked_offline_with_the_published_keys(installation, tmp_path):
    document = json.loads(installation("promises", "--json").stdout)
    file = tmp_path / "promises.json"
    file.write_text(json.dumps(document, indent=4))
    done = installation("promises", "verify", str(file), "--json")
    assert (done.returncode, json.loads(done.stdout)["flaws"]) == (0, [])
    (tmp_path / "keys.json").write_text('{"keys": []}')
    assert installation("promises", "verify", str(file), "--keys", str(tmp_path / "keys.json")).returncode == 1
    document["promises"][0]["state"] = "holding"
    file.write_text(json.dumps(document))
    done = installation("promises", "verify", str(file))
    assert done.returncode == 1
    assert "altered" in done.stdout
    assert "P01" in done.stdout
    file.write_text('{"keys": []}')
    assert installation("promises", "verify", str(file)).returncode == 2


def test_only_an_operator_answers_for_a_control_and_only_for_one_that_is_attested(installation):
    until = str((now() + timedelta(days=9)).date())
    rest = ("--until", until, "--statement", "Our contract excludes it.")
    assert installation("promises", "attest", CONTROL, "--as", "nobody@example.org", *rest).returncode != 0
    added = installation("operators", "add", OPERATOR, "--name", "Ops", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    done = installation("promises", "attest", CONTROL, "--as", OPERATOR, *rest, "--json")
    assert (done.returncode, json.loads(done.stdout)["state"]) == (0, "attested"), done.stderr
    done = installation("promises", "attest", "mails-once", "--as", OPERATOR, *rest)
    assert done.returncode != 0
    assert "pigi promises --json" in done.stderr
    assert installation("promises", "withdraw", CONTROL, "--as", OPERATOR).returncode == 0
