"""`pigi keys`: how far a rotation is, what is due, and what is said when a key was taken away too early."""

from __future__ import annotations

import json

OLD, NEW = f"old:{'A' * 43}=", f"new:{'B' * 43}="
LACKS = "PIGI_SECRET_KEYS lacks the key old, under which 1 data keys still are"


def test_a_rotation_is_requested_followed_and_guarded(pigi):
    pigi.environment["PIGI_SECRET_KEYS"] = OLD
    assert pigi("migrate").returncode == 0
    organisation = json.loads(pigi("organisations", "add", "Harbour Works", "--json").stdout)["id"]
    pigi.environment["PIGI_SECRET_KEYS"] = NEW
    for command in ("up", "web", "beat"):
        early = pigi(command)
        assert (early.returncode, LACKS in early.stderr) == (1, True), command
    assert LACKS in pigi("check").stdout
    pigi.environment["PIGI_SECRET_KEYS"] = f"{NEW},{OLD}"
    status = json.loads(pigi("keys", "status", "--json").stdout)
    assert status["keyring"][1] == {"name": "old", "place": "older", "rows": {"data keys": 1}}
    assert status["old_rows"] == 1 + status["signatures"]
    assert "need an older key" in pigi("keys", "status").stdout
    assert json.loads(pigi("keys", "rotate", "--json").stdout) == {"queued": 1}
    assert json.loads(pigi("keys", "rotate", "--organisation", organisation, "--json").stdout) == {"queued": 1}
    assert json.loads(pigi("keys", "rotate", "--data-keys", "--json").stdout) == {"queued": 1}
    both = pigi("keys", "rotate", "--data-keys", "--organisation", organisation)
    assert (both.returncode, "exclude each other" in both.stderr) == (2, True)
    unknown = pigi("keys", "rotate", "--organisation", "nobody")
    assert (unknown.returncode, "no organisation nobody" in unknown.stderr) == (1, True)
    (rotation,) = json.loads(pigi("keys", "status", "--json").stdout)["rotations"]
    assert (rotation["organisation"], rotation["values_left"]) == (organisation, 0)


def test_the_report_exits_with_1_once_something_is_to_be_replaced(pigi):
    assert pigi("migrate").returncode == 0
    pigi.environment["ANTHROPIC_API_KEY"] = "secret-one, secret-two"
    done = pigi("keys", "report", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"], len(report["providers"])) == (0, True, 2)
    assert report["api_keys"] == {"count": 0, "ending": 0, "oldest": None}
    assert "secret-" not in done.stdout
    assert "No key is late." in pigi("keys", "report").stdout
