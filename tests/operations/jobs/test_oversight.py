"""All jobs together, for operators: what waits, what nobody can say, what was scheduled, and acting on many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from pigi.application import Application
from pigi.clock import now
from pigi.domain.job_state import JobState
from pigi.jobs.effects import EFFECT
from pigi.jobs.effects import begin as begin_effect
from pigi.jobs.kinds import GENERATE_DRAFT, MIGRATE_ORGANISATION, PROBES, SEND_MAIL
from pigi.jobs.schedules import CatchUp, Schedule, tick
from pigi.operations.dashboards import jobs_by_hour
from pigi.operations.generations import request_generation
from pigi.operations.jobs import (
    Matching,
    cancel_all,
    read_job,
    read_queues,
    read_schedules,
    retry_all,
    together,
    unknown_effects,
)
from pigi.operations.organisations import oversee_organisations
from tests.support.jobs import ask, caller_of, change, finish, raise_epoch, register_organisation, take

KIND = MIGRATE_ORGANISATION


@pytest.fixture
def one(control):
    return register_organisation(control)


def failed(control, organisation, kind=KIND, reason="worker_lost"):
    held = take(control, kind, ask(control, kind, organisation))
    finish(control, held, JobState.FAILED, reason, None)
    return held.job_id


class Acts:
    """Jobs that were acted on, as each act's own transaction says."""

    def __init__(self):
        self.ids = []

    def __call__(self, _session, job):
        self.ids.append(job.id)


def test_queues_say_what_waits_and_since_when(application, control, one):
    ask(control, KIND, one)
    oldest = ask(control, KIND, one)
    change(control, oldest, due_at=timedelta(minutes=-5))
    change(control, ask(control, KIND, one), due_at=timedelta(hours=1))
    take(control, KIND, ask(control, KIND, one))
    (queue,) = [view for view in read_queues(application) if view.name == KIND.queue]
    assert (queue.due, queue.later, queue.running) == (2, 1, 1)
    assert timedelta(minutes=4) < now() - queue.oldest < timedelta(minutes=6)
    assert all(view.oldest is None for view in read_queues(application) if view.name != KIND.queue)


def test_the_hours_count_what_people_asked_for(application, control, organisation):
    job = request_generation(application, caller_of(organisation), "agent", "reviewer", "Reviews changes.")
    finish(control, take(control, GENERATE_DRAFT, job.id), JobState.FAILED, "refused", None)
    request_generation(application, caller_of(organisation), "agent", "writer", "Writes.")
    ask(control, PROBES["ai"], None)
    hours = jobs_by_hour(application)
    assert len(hours) == 24
    assert (sum(hour.failed for hour in hours), sum(hour.others for hour in hours)) == (1, 1)
    assert sum(hour.total for hour in hours[-2:]) == 2


def test_an_effect_that_nobody_knows_of_is_listed_with_its_job(application, control, one):
    held = take(control, SEND_MAIL, ask(control, SEND_MAIL, one))
    begin_effect(control, held, "mail")
    assert unknown_effects(application) == []
    with control.transaction() as connection:
        connection.execute(update(EFFECT).values(state="unknown", settled_at=now()))
    (effect,) = unknown_effects(application)
    assert (effect.job_id, effect.organisation_id, effect.key) == (held.job_id, one, "mail")


def test_schedules_say_when_they_ran_and_when_they_run_next(application, control):
    daily = Schedule(KIND, timedelta(days=1), CatchUp.LATEST, "", offset=timedelta(hours=3))
    (before,) = read_schedules(application, [daily])
    assert before.last is None
    assert not before.overdue
    assert before.following <= now()
    tick(control, application.notifier, [daily], datetime.now(UTC))
    (after,) = read_schedules(application, [daily])
    assert read_job(application, after.job_id, None).state == after.state == "queued"
    assert after.following == daily.period(now()) + timedelta(days=1)
    short = Schedule(KIND, timedelta(microseconds=1), CatchUp.LATEST, "")
    assert read_schedules(application, [short])[0].overdue


def test_asked_twice_all_that_failed_is_retried_once(application, control, one):
    other = register_organisation(control)
    first, second = failed(control, one), failed(control, one, reason="refused")
    failed(control, other)
    acts = Acts()
    assert retry_all(application, Matching(KIND.name, one, "worker_lost"), acts).done == 1
    assert acts.ids == [first]
    assert retry_all(application, Matching(organisation_id=one), acts).done == 1
    assert retry_all(application, Matching(organisation_id=one), acts).done == 0
    assert acts.ids == [first, second]
    assert read_job(application, first, None).state == "queued"


def test_what_cannot_be_retried_does_not_stand_in_the_way(application, control, organisation, monkeypatch):
    monkeypatch.setattr(together, "BATCH", 1)
    job = request_generation(application, caller_of(organisation), "agent", "reviewer", "Reviews changes.")
    finish(control, take(control, GENERATE_DRAFT, job.id), JobState.FAILED, "refused", None)
    deleted = register_organisation(control)
    failed(control, deleted)
    raise_epoch(control, deleted)
    good, last = failed(control, organisation), failed(control, organisation)
    acts = Acts()
    assert retry_all(application, Matching(), acts) == together.Outcome(1, {}, more=True)
    assert retry_all(application, Matching(), acts) == together.Outcome(1, {}, more=False)
    assert acts.ids == [good, last]


def test_all_of_a_kind_are_cancelled_whether_they_wait_or_run(application, control, one):
    waiting = ask(control, KIND, one)
    running = take(control, KIND, ask(control, KIND, one)).job_id
    probe = ask(control, PROBES["ai"], None)
    acts = Acts()
    assert cancel_all(application, Matching(KIND.name), acts).done == 2
    assert cancel_all(application, Matching(KIND.name), acts).done == 0
    assert acts.ids == [waiting, running]
    assert read_job(application, waiting, None).state == "cancelled"
    assert read_job(application, running, None).cancel_requested
    assert read_job(application, probe, None).state == "queued"


def test_organisations_have_names_and_sizes(application, organisation):
    (figures,) = oversee_organisations(application)
    assert (figures.id, figures.name, figures.members) == (organisation, "Test organisation", 0)
    assert figures.bytes > 4096
    assert oversee_organisations(application, before=organisation) == []


@pytest.fixture
def application(settings, control):
    opened = Application.open(settings)
    yield opened
    opened.dispose()
