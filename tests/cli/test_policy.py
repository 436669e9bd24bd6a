"""`pigi policy`: what it says of a file, and that it refuses by the place."""

from __future__ import annotations

import json

import pytest

from pigi.application import Application
from pigi.domain.policy import write_policy
from pigi.operations.policy import policy_history
from pigi.settings import Settings
from tests.support.people import make_account


@pytest.fixture
def application(pigi):
    assert pigi("migrate").returncode == 0
    opened = Application.open(Settings(home=pigi.home / "var"))
    yield opened
    opened.dispose()


def test_a_file_is_published_once_and_says_what_comes_of_it(pigi, application, tmp_path):
    history = policy_history(application)
    assert [one.published_by for one in history.versions] == ["pigi"]
    make_account(application)
    document, file = write_policy(history.current.policy), tmp_path / "policy.json"
    document["sentences"][2]["text"] += " It is sold to advertisers."
    file.write_text(json.dumps(document))
    told = pigi("policy", "publish", str(file), "--dry-run")
    assert told.returncode == 0, told.stderr
    assert "would be published. The change is material." in told.stdout
    assert "1 people are told by mail" in told.stdout
    assert len(policy_history(application).versions) == 1
    done = json.loads(pigi("policy", "publish", str(file), "--json").stdout)
    assert (done["version"], done["change"], done["published"], done["notices"]) == (2, "material", True, 1)
    again = json.loads(pigi("policy", "publish", str(file), "--json").stdout)
    assert (again["version"], again["published"], again["already_published"], again["notices"]) == (2, False, True, 0)
    (counts,) = json.loads(pigi("policy", "notices", "--json").stdout)
    assert (counts["version"], counts["waiting"] + counts["queued"]) == (2, 1)
    assert [one["state"] for one in json.loads(pigi("policy", "versions", "--json").stdout)] == ["coming", "current"]


def test_what_cannot_be_published_is_refused_with_its_place_and_the_next_step(pigi, application, tmp_path):
    document, file = write_policy(policy_history(application).current.policy), tmp_path / "policy.json"
    file.write_text('{"sentences": [')
    broken = pigi("policy", "publish", str(file))
    assert broken.returncode == 1
    assert "line 1, column 16: no JSON. Nothing was published" in broken.stderr
    for unfit, said in (("null", "must be an object"), ("[" * 100_000, "nested too deep")):
        file.write_text(unfit)
        assert said in pigi("policy", "publish", str(file)).stderr
    document["sentences"][1]["promises"] = ["P99"]
    file.write_text(json.dumps(document))
    refused = json.loads(pigi("policy", "publish", str(file), "--json").stderr)
    assert refused["code"] == "policy_unfit"
    assert document["sentences"][1]["id"] in refused["message"]
    document["sentences"][1] |= {"promises": [], "text": "All is sold.", "basis": "definition"}
    file.write_text(json.dumps({**document, "effective_at": "2026-12-01T00:00:00Z"}))
    assert "30 days ahead" in pigi("policy", "publish", str(file)).stderr
    assert pigi("policy", "publish", str(file), "--shipped").returncode == 2
