"""`pigi export`: what is started, and what is wrong usage."""

from __future__ import annotations

import json

from pigi.application import Application
from pigi.ids import new_id
from pigi.operations.exports import Owner, list_exports
from pigi.settings import Settings
from tests.support.factories import make_organisation


def test_an_export_is_started_and_a_copy_needs_a_reason(pigi):
    assert pigi("migrate").returncode == 0
    application = Application.open(Settings(home=pigi.home / "var"))
    where = make_organisation(application.control, application.tenants)
    done = pigi("export", "--organisation", where, "--json")
    assert done.returncode == 0, done.stderr
    (export,) = list_exports(application, Owner(where))
    assert json.loads(done.stdout) == {"export": export.id, "job": export.job_id, "file": None}
    for words in ((), ("--organisation", where, "--account", "a@example.com"), ("--organisation", where, "--to", "x")):
        assert pigi("export", *words).returncode == 2
    for words in (("--organisation", new_id()), ("--account", "nobody@example.com")):
        failed = pigi("export", *words)
        assert (failed.returncode, failed.stderr.startswith("pigi: There is no ")) == (1, True)
    application.dispose()
