"""What operators do with jobs, over HTTP and on their pages."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pigi.domain.job_state import JobState
from pigi.jobs.kinds import GENERATE_DRAFT, MIGRATE_ORGANISATION
from pigi.operations.audit import CONTENT
from tests.support.jobs import ask, finish, take
from tests.support.people import make_account, sign_in

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
JOBS = "/api/v1/operate/jobs"
KIND = MIGRATE_ORGANISATION


@pytest.fixture
def console(app, application):
    return sign_in(app, application, make_account(application, operator=True))


@pytest.fixture
def failed(application, organisation):
    control = application.control
    held = take(control, KIND, ask(control, KIND, organisation))
    finish(control, held, JobState.FAILED, "worker_lost", None)
    return held.job_id


def audited(application, job):
    with application.control.autocommit() as connection:
        rows = connection.execute(select(CONTENT).where(CONTENT.c.subject == f"job:{job}")).all()
    return [row.actor.partition(":")[0] for row in rows]


def test_a_failed_job_is_found_and_retried_once_however_often_it_is_asked(application, console, failed):
    assert f"/operate/jobs/{failed}" in console.get("/operate").get_data(as_text=True)
    assert f"{JOBS}/{failed}/retry" in console.get("/operate/jobs?state=failed").get_data(as_text=True)
    assert f"{JOBS}/{failed}/retry" in console.get(f"/operate/jobs/{failed}").get_data(as_text=True)
    answers = [console.post(f"{JOBS}/{failed}/retry", json={}, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    again = console.post(f"{JOBS}/{failed}/retry", json={})
    assert (again.status_code, again.get_json()["code"]) == (409, "not_retryable")
    assert audited(application, failed) == ["operator"]


def test_an_operator_is_told_who_can_retry_what_needs_its_purpose(application, console, organisation):
    held = take(application.control, GENERATE_DRAFT, ask(application.control, GENERATE_DRAFT, organisation))
    finish(application.control, held, JobState.FAILED, "worker_lost", None)
    told = console.post(f"{JOBS}/{held.job_id}/retry", json={}).get_json()
    assert (told["status"], told["code"]) == (422, "purpose_required")
    assert "/api/v1/jobs/ID/retry; an operator cannot" in told["detail"]
    assert console.post(f"{JOBS}/{held.job_id}/retry", json={"purpose": "Mine."}).get_json()["code"] == "invalid"


def test_all_that_match_are_retried_and_each_act_is_in_the_audit_log(application, console, failed):
    matching = {"kind": KIND.name, "reason": "worker_lost"}
    assert console.post(f"{JOBS}/retry", json=matching).get_json() == {"done": 1, "refused": {}, "more": False}
    assert console.post(f"{JOBS}/retry", json=matching).get_json()["done"] == 0
    assert console.post(f"{JOBS}/cancel", json={"kind": KIND.name}).get_json()["done"] == 1
    assert console.get(f"/api/v1/jobs/{failed}").status_code in {200, 404}
    assert audited(application, failed) == ["operator", "operator"]


@pytest.mark.parametrize("body", [{"kind": "nothing.known"}, {"reason": "nothing"}, {"organisation": "x"}])
def test_a_filter_that_means_nothing_is_refused(console, body):
    assert console.post(f"{JOBS}/retry", json=body).status_code == 422


def test_not_everything_is_cancelled_at_once(console):
    assert console.post(f"{JOBS}/cancel", json={}).status_code == 422
