"""`pigi backup`, `pigi backups` and `pigi restore`: from a key to a restored installation, by commands alone."""

from __future__ import annotations

import json
import stat


def test_an_installation_is_backed_up_and_restored(pigi, tmp_path):
    key = tmp_path / "backups.key"
    assert pigi("migrate").returncode == 0
    refused = pigi("backup", "--json")
    assert (refused.returncode, json.loads(refused.stderr)["code"]) == (1, "backup_recipient_missing")
    made = pigi("backups", "keygen", "--to", str(key))
    assert made.returncode == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "AGE-SECRET-KEY" not in made.stdout + made.stderr
    assert pigi("backups", "keygen", "--to", str(key)).returncode == 1
    name, _, recipient = made.stdout.strip().partition("=")
    pigi.environment |= {name: recipient, "PIGI_SECRET_KEYS": f"first:{'A' * 43}="}
    organisation = json.loads(pigi("organisations", "add", "Harbour Works", "--json").stdout)["id"]
    done = pigi("backup", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) | {"complete": True, "organisations": 1} == json.loads(done.stdout)
    elsewhere = tmp_path / "elsewhere.age"
    assert pigi("backup", "--to", str(elsewhere)).returncode == 0
    (listed,) = json.loads(pigi("backups", "list", "--json").stdout)
    assert listed["name"] == json.loads(done.stdout)["name"]
    old = pigi.environment["PIGI_HOME"]
    pigi.environment |= {
        "PIGI_HOME": str(tmp_path / "new"),
        "BACKUPS_URL": f"file://{old}/backups",
        "FILES_URL": f"file://{old}/files",
    }
    assert "neither a file nor a backup nothing.age" in pigi("restore", "nothing.age", "--identity", str(key)).stderr
    key.chmod(0o640)
    assert "chmod 600" in pigi("restore", listed["name"], "--identity", str(key)).stderr
    key.chmod(0o600)
    restored = pigi("restore", listed["name"], "--identity", str(key), "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["organisations"] == 1
    (found,) = json.loads(pigi("organisations", "list", "--json").stdout)
    assert (found["id"], found["name"]) == (organisation, "Harbour Works")
    again = pigi("restore", str(elsewhere), "--identity", str(key), "--json")
    assert (again.returncode, json.loads(again.stderr)["code"]) == (1, "restore_not_empty")


def test_nothing_starts_while_a_restore_is_not_finished(pigi):
    assert pigi("migrate").returncode == 0
    (pigi.home / "var" / "restoring").mkdir()
    for words in (["web"], ["worker", "ai"], ["beat"], ["up"]):
        done = pigi(*words)
        assert (done.returncode, "nothing serves before" in done.stderr) == (1, True), words
    assert "a restore is under way" in pigi("check").stdout
