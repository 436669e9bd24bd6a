"""`pigi jobs` on jobs that exist. Nothing consumes them here, so they stay where they are put."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from pigi.application import Application
from pigi.domain.access import Caller
from pigi.operations.generations import request_generation
from pigi.operations.organisations import create_organisation
from pigi.settings import Settings

PURPOSE = "canary purpose: review pull requests"


class Installation:
    """An application and the command line on the same home."""

    def __init__(self, application, pigi):
        self.application = application
        self.pigi = pigi
        self.organisation = create_organisation(application, "Example")

    def ask(self):
        caller = Caller(self.organisation, key_id="the-key")
        return request_generation(self.application, caller, "agent", "code-reviewer", PURPOSE).id

    def fail(self, job_id):
        """As a worker leaves a failed generation: ended, with its purpose erased."""
        with self.application.control.begin() as session:
            session.execute(
                text("UPDATE job SET state = 'failed', reason = 'provider_failed' WHERE id = :id"), {"id": job_id}
            )
        with self.application.tenants.session(self.organisation) as tenant:
            tenant.execute(text("UPDATE generation SET purpose = NULL"))


@pytest.fixture
def installation(pigi):
    assert pigi("migrate").returncode == 0
    application = Application.open(Settings(home=pigi.home / "var"))
    yield Installation(application, pigi)
    application.dispose()


def test_a_job_is_listed_and_shown_without_its_content(installation):
    job_id = installation.ask()
    listed = json.loads(installation.pigi("jobs", "list", "--state", "queued", "--json").stdout)
    assert [job["id"] for job in listed] == [job_id]
    narrowed = ("--since", "2026-01-01", "--without-housekeeping", "--oldest-first", "--json")
    for who, found in (("api-keys", [job_id]), ("pigi", [])):
        some = installation.pigi("jobs", "list", "--requested-by", who, *narrowed)
        assert [job["id"] for job in json.loads(some.stdout)] == found
    shown = installation.pigi("jobs", "show", job_id)
    assert "generations.draft" in shown.stdout
    assert "queued" in shown.stdout
    assert "canary" not in shown.stdout + json.dumps(listed)


def test_a_job_is_shown_with_what_says_why_it_does_not_start(installation):
    job_id = installation.ask()
    job = json.loads(installation.pigi("jobs", "show", job_id, "--json").stdout)
    assert job["queue"] == "ai"
    assert installation.organisation in job["partition"]
    assert job["due_at"]
    facts = dict(line.split(None, 1) for line in installation.pigi("jobs", "show", job_id).stdout.splitlines()[:10])
    assert facts["queue"] == job["queue"]
    assert facts["partition"] == job["partition"]
    assert facts["due"] == job["due_at"].replace("T", " ")[:19]
    assert facts["published"] == (job["published_at"] or "-").replace("T", " ")[:19]


def test_a_waiting_job_is_cancelled(installation):
    job_id = installation.ask()
    done = installation.pigi("jobs", "cancel", job_id, "--json")
    assert json.loads(done.stdout)["state"] == "cancelled"


def test_a_retry_reads_the_purpose_from_standard_input(installation):
    job_id = installation.ask()
    installation.fail(job_id)
    refused = installation.pigi("jobs", "retry", job_id)
    assert refused.returncode == 1
    assert "purpose" in refused.stderr
    done = installation.pigi("jobs", "retry", job_id, "--json", stdin=PURPOSE)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "queued"


def test_only_a_failed_job_is_retried(installation):
    refused = installation.pigi("jobs", "retry", installation.ask(), stdin=PURPOSE)
    assert refused.returncode == 1
