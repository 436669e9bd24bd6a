"""`pigi audit` and `pigi retention`: what an operator proves, in words, in JSON and by the exit code."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from pigi.application import Application
from pigi.ids import new_id
from pigi.operations.audit import CLI, record
from pigi.settings import Settings


@pytest.fixture
def application(pigi):
    assert pigi("migrate").returncode == 0
    opened = Application.open(Settings(home=pigi.home / "var"))
    yield opened
    opened.dispose()


def act(application, times):
    for _ in range(times):
        with application.control.begin() as session:
            record(session, application, "operator.job_retried", CLI, job=new_id())


def sql(application, statement):
    with application.control.transaction() as connection:
        connection.execute(text(statement))


def test_an_installation_without_acts_has_a_sound_chain(pigi, application):
    done = pigi("audit", "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The chain holds." in done.stdout


def test_a_kept_head_is_held_against_the_chain(pigi, application, tmp_path):
    act(application, 3)
    kept = pigi("audit", "head").stdout
    assert json.loads(kept)["public_key"] == pigi("audit", "key").stdout.strip()
    act(application, 1)
    file = tmp_path / "head.json"
    file.write_text(kept)
    for where, stdin in ((str(file), ""), ("-", kept)):
        done = pigi("audit", "verify", "--anchor", where, "--json", stdin=stdin)
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout) | {"head": ""} == {
            "ok": True,
            "entries": 4,
            "erased": 0,
            "anchors": 0,
            "last": 4,
            "head": "",
            "flaw": None,
            "seq": None,
            "until": None,
            "saved": "the chain still contains it",
        }


def test_a_broken_chain_is_reported_with_its_first_broken_entry(pigi, application):
    act(application, 4)
    kept = pigi("audit", "head").stdout
    sql(application, "DELETE FROM audit_content WHERE seq > 2")
    sql(application, "DELETE FROM audit_entry WHERE seq > 2")
    assert pigi("audit", "verify").returncode == 0
    done = pigi("audit", "verify", "--anchor", "-", stdin=kept)
    assert done.returncode == 1
    assert done.stdout.endswith("The chain is broken: entries removed at the end, at entries 3 to 4.\n")
    sql(application, "UPDATE audit_entry SET kind = 'key.revoked' WHERE seq = 2")
    data = json.loads(pigi("audit", "verify", "--json").stdout)
    assert (data["ok"], data["flaw"], data["seq"], data["until"]) == (False, "entry altered", 2, 2)


def test_what_is_no_head_is_wrong_usage(pigi, application):
    done = pigi("audit", "verify", "--anchor", "-", stdin="no head")
    assert done.returncode == 2
    assert "pigi audit head" in done.stderr


def test_entries_are_listed_newest_first(pigi, application):
    assert pigi("audit", "list").stdout == "No such entries.\n"
    act(application, 3)
    listed = json.loads(pigi("audit", "list", "--limit", "2", "--json").stdout)
    assert [entry["seq"] for entry in listed] == [3, 2]
    assert [entry["kind"] for entry in listed] == ["operator.job_retried"] * 2
    assert "operator:cli" in pigi("audit", "list", "--before", "2").stdout


def test_an_installation_that_keeps_its_periods_passes(pigi, application):
    done = pigi("retention", "report")
    assert done.returncode == 0
    assert "Nothing is overdue." in done.stdout
    data = json.loads(pigi("retention", "report", "--json").stdout)
    kept = {line["retention"]: line["keep"] for line in data["classes"]}
    assert (kept["request_log"], kept["account"]) == (14 * 86400, None)


def test_an_overdue_row_fails_the_report(pigi, application):
    sql(application, "INSERT INTO throttle (key, full_at) VALUES ('x', 1000000000)")
    done = pigi("retention", "report")
    assert done.returncode == 1
    assert "Overdue: throttle." in done.stdout
