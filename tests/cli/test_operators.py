"""`pigi operators`, the scopes of `pigi api-keys`, and that what operators do is written down."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from sqlalchemy import select

from pigi.application import Application
from pigi.domain.access import Caller, Person
from pigi.operations.accounts import sign_in
from pigi.operations.generations import request_generation
from pigi.operations.organisations import organisations_of
from pigi.settings import Settings
from pigi.store.ledgers import AuditContent, AuditEntry
from tests.support.people import make_account

PASSWORD = "lantern orbit meadow 41"
ADD = ("operators", "add", "op@example.com", "--name", "Opal")


@pytest.fixture
def application(pigi):
    assert pigi("migrate").returncode == 0
    opened = Application.open(Settings(home=pigi.home / "var"))
    yield opened
    opened.dispose()


def acts(application):
    query = select(AuditEntry.kind, AuditContent.actor).join(AuditContent, AuditContent.seq == AuditEntry.seq)
    with application.control.read() as session:
        return [tuple(row) for row in session.execute(query.order_by(AuditEntry.seq))]


def test_an_operator_is_added_listed_and_disabled(pigi, application):
    assert pigi("operators", "list").stdout.startswith("No operator yet")
    added = pigi(*ADD, "--password-stdin", stdin=PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    listed = json.loads(pigi("operators", "list", "--json").stdout)
    assert [(one["id"], one["email"], one["state"]) for one in listed] == [
        (added.stdout.strip(), "op@example.com", "active")
    ]
    assert "op@example.com" in pigi("operators", "list").stdout
    assert pigi("operators", "disable", "op@example.com").returncode == 0
    assert json.loads(pigi("operators", "list", "--json").stdout)[0]["state"] == "disabled"
    assert pigi("operators", "disable", "nobody@example.com").returncode == 1
    kinds = [kind for kind, actor in acts(application) if actor == "operator:cli"]
    assert kinds == ["operator.added", "operator.disabled"]


def test_a_disabled_operator_is_let_in_again(pigi, application):
    added = pigi(*ADD, "--password-stdin", stdin=PASSWORD + "\n").stdout.strip()
    assert "pigi operators enable" in pigi("operators", "disable", "op@example.com").stdout
    refused = pigi(*ADD, "--password-stdin", stdin=PASSWORD + "\n")
    assert refused.returncode == 1
    assert "pigi operators enable" in refused.stderr
    for _ in range(2):
        assert pigi("operators", "enable", "Op@example.com").returncode == 0
    assert [(one["id"], one["state"]) for one in json.loads(pigi("operators", "list", "--json").stdout)] == [
        (added, "active")
    ]
    assert sign_in(application, "op@example.com", PASSWORD, "192.0.2.1").token
    kinds = [kind for kind, actor in acts(application) if actor == "operator:cli"]
    assert kinds == ["operator.added", "operator.disabled", "operator.enabled"]


def test_who_lost_a_device_is_let_in_and_it_is_written_down(pigi, application):
    make_account(application, email="op@example.com", operator=True)
    person = make_account(application, email="nora@example.com", factor=True)
    assert pigi("operators", "reset-second-factor", "op@example.com").returncode == 0
    done = pigi("accounts", "reset-second-factor", "Nora@example.com", "--json")
    assert json.loads(done.stdout) == {"id": person, "second_factor": "off"}
    refused = pigi("accounts", "reset-second-factor", "op@example.com")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert acts(application) == [("factor.reset", "operator:cli")] * 2


def test_an_organisation_is_made_for_its_owner(pigi, application):
    account = make_account(application, email="nora@example.com")
    assert pigi("organisations", "add", "Example", "--owner", "nobody@example.com").returncode == 1
    made = pigi("organisations", "add", "Example", "--owner", "Nora@example.com")
    assert made.returncode == 0, made.stderr
    found = organisations_of(application, Person(account, ""))
    assert [(one.id, one.role) for one in found] == [(made.stdout.strip(), "owner")]
    made_so = ["organisation.created", "member.joined", "plan.granted"]
    assert acts(application)[-3:] == [(kind, "operator:cli") for kind in made_so]


def test_what_is_refused_is_one_line_without_the_password(pigi, application):
    make_account(application, email="person@example.com")
    for words, password in (
        (ADD, "password1234"),
        (("operators", "add", "person@example.com", "--name", "Opal"), PASSWORD),
        (("operators", "add", "nobody", "--name", "Opal"), PASSWORD),
    ):
        refused = pigi(*words, "--password-stdin", stdin=password)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert password not in refused.stdout + refused.stderr


def test_without_a_terminal_nothing_is_asked(pigi, application):
    refused = pigi(*ADD, stdin=PASSWORD)
    assert refused.returncode == 2
    assert "--password-stdin" in refused.stderr
    assert json.loads(pigi("operators", "list", "--json").stdout) == []


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(pigi, application):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pigi", *ADD]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=pigi.environment
    ) as asked:
        os.close(theirs)
        output = b""
        for prompt in (b"Password", b"The same again"):
            while prompt not in output:
                output += os.read(ours, 1024)
            os.write(ours, PASSWORD.encode() + b"\n")
        try:
            while piece := os.read(ours, 1024):
                output += piece
        except OSError:  # Linux says so that the other side has gone
            pass
    os.close(ours)
    assert asked.returncode == 0, output
    assert PASSWORD.encode() not in output
    assert json.loads(pigi("operators", "list", "--json").stdout)[0]["name"] == "Opal"


def test_a_key_has_the_scopes_that_are_asked_for_or_all(pigi, application):
    organisation = pigi("organisations", "add", "Example").stdout.strip()
    narrow = json.loads(pigi("api-keys", "add", organisation, "--scope", "configuration:read", "--json").stdout)
    wide = json.loads(pigi("api-keys", "add", organisation, "--json").stdout)
    assert narrow["scopes"] == ["configuration:read"]
    assert wide["scopes"] == ["configuration:read", "configuration:write", "exports:write", "generations:write"]
    assert pigi("api-keys", "add", organisation, "--scope", "everything").returncode == 2


def test_what_touches_a_tenant_is_written_down(pigi, application):
    organisation = pigi("organisations", "add", "Example").stdout.strip()
    key = pigi("api-keys", "add", organisation).stdout.strip().split("_")[1]
    dashed = "-".join((key[:8], key[8:12], key[12:16], key[16:20], key[20:]))
    assert pigi("api-keys", "revoke", dashed).returncode == 0
    caller = Caller(organisation, key_id=dashed)
    job = request_generation(application, caller, "agent", "reviewer", "Reviews changes.").id
    assert pigi("jobs", "cancel", job).returncode == 0
    with application.control.transaction() as connection:
        connection.exec_driver_sql("UPDATE job SET state = 'failed', kind = 'organisations.migrate'")
    assert pigi("jobs", "retry", job).returncode == 0
    assert {actor for _, actor in acts(application)} == {"operator:cli"}
    assert [kind for kind, _ in acts(application)] == [
        "organisation.created",
        "plan.granted",
        "key.issued",
        "key.revoked",
        "operator.job_cancelled",
        "operator.job_retried",
    ]
