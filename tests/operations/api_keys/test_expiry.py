"""Warnings about keys that end: to whoever can rotate them, 14 and 3 days before and on the day, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

import tasks.api_keys  # noqa: F401 - importing registers
from pigi.domain.access import Role
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import WARN_OF_KEYS
from pigi.operations.api_keys import expiry as key_expiry
from pigi.operations.api_keys.expiry import stage_of
from pigi.store.control import Job, Organisation
from pigi.store.ledgers import Mail
from pigi.store.people import Account, ApiKey
from schedules.timetable import TIMETABLE
from tests.support.jobs import ask, refuse, register_organisation, row_of
from tests.support.people import make_key_row, make_member

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def own(control):
    return register_organisation(control)


@pytest.fixture
def rotators(application, own):
    """Whoever may rotate keys, beside somebody who may not and one who cannot sign in."""
    make_member(application, own)
    gone = make_member(application, own, Role.ADMIN)
    with application.control.begin() as session:
        session.execute(update(Account).where(Account.id == gone).values(state="disabled"))
    return {make_member(application, own, Role.OWNER), make_member(application, own, Role.ADMIN)}


@pytest.fixture
def warn(application, worker_context, monkeypatch):
    """Do the day's run at a moment, as a worker does; returns its new mails as (key, recipient)."""
    seen = set()

    def once(moment):
        monkeypatch.setattr(key_expiry, "now", lambda: moment)
        job = ask(application.control, WARN_OF_KEYS)
        run(HANDLERS[WARN_OF_KEYS.name], job, worker_context)
        assert row_of(application.control, job).state == "succeeded"
        query = select(Mail.id, Mail.subject_id, Mail.recipient_id).where(Mail.template == "key-expiring")
        with application.control.read() as session:
            fresh = [row for row in session.execute(query) if row.id not in seen]
        seen.update(row.id for row in fresh)
        return {(row.subject_id, row.recipient_id) for row in fresh}

    return once


def a_key(application, own, end, *, made=NOON - 90 * DAY, **facts):
    """A key with these moments; its id."""
    key_id = make_key_row(application, own)[0]
    with application.control.begin() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key_id).values(created_at=made, expires_at=end, **facts))
    return key_id


def test_owners_and_admins_are_warned_three_times_and_each_time_once(application, own, rotators, warn):
    end = NOON + 20 * DAY
    key = a_key(application, own, end)
    warned = [day for day in range(23) for _ in range(2) if warn(NOON + day * DAY) == {(key, who) for who in rotators}]
    assert warned == [6, 17, 20]


def test_the_mail_is_the_organisations_and_requested_by_the_schedule(application, own, rotators, warn):
    a_key(application, own, NOON + DAY)
    warn(NOON)
    with application.control.read() as session:
        found = session.execute(
            select(Mail.organisation_id, Job.organisation_id, Job.requested_by).join(Job, Job.id == Mail.job_id)
        ).all()
    assert [tuple(row) for row in found] == [(own, own, "schedule")] * 2


def test_missed_days_are_made_up_for_by_one_warning(application, own, rotators, warn):
    key = a_key(application, own, NOON + 2 * DAY)
    assert warn(NOON) == {(key, who) for who in rotators}
    assert warn(NOON + DAY) == set()


def test_a_key_that_ended_before_the_days_run_is_still_warned_of(application, own, rotators, warn):
    key = a_key(application, own, NOON - timedelta(hours=11), warned_days=3)
    assert {subject for subject, _ in warn(NOON)} == {key}
    assert warn(NOON + timedelta(hours=1)) == set()


def test_a_key_that_cannot_be_warned_of_keeps_no_other_waiting(application, control, own, rotators, warn):
    keys = sorted(a_key(application, own, NOON + 2 * DAY) for _ in range(3))
    refuse(control, "UPDATE OF warned_days", "api_key", f"NEW.id = '{keys[1]}'")
    assert {key for key, _ in warn(NOON)} == {keys[0], keys[2]}


def test_keys_that_need_no_warning(application, own, rotators, warn, control):
    end = NOON + 2 * DAY
    rotated = a_key(application, own, end)
    a_key(application, own, NOON + 90 * DAY, replaces=rotated)
    a_key(application, own, end, revoked_at=NOON - DAY)
    a_key(application, own, NOON - 2 * DAY)
    a_key(application, own, NOON + 15 * DAY + timedelta(hours=12))
    a_key(application, own, end, warned_days=3)
    closed = register_organisation(control)
    make_member(application, closed, Role.OWNER)
    a_key(application, closed, end)
    with application.control.begin() as session:
        session.execute(update(Organisation).where(Organisation.id == closed).values(state="deleting"))
    assert warn(NOON) == set()


def test_a_key_whose_successor_was_revoked_is_warned_of(application, own, rotators, warn):
    key = a_key(application, own, NOON + 2 * DAY)
    a_key(application, own, NOON + 90 * DAY, replaces=key, revoked_at=NOON - DAY)
    assert {subject for subject, _ in warn(NOON)} == {key}


@pytest.mark.parametrize(
    ("life", "left", "stage"),
    [(90, 15, None), (90, 14, 14), (90, 4, 14), (90, 3, 3), (90, 1, 3), (90, 0, 0), (14, 13, None), (14, 3, 3),
     (3, 3, None), (3, 1, None), (1, 0, 0)],
)  # fmt: skip
def test_a_key_made_for_less_time_than_a_warning_looks_ahead_gets_none_so_early(life, left, stage):
    end = NOON + left * DAY
    assert stage_of(end - life * DAY, end, NOON) == stage


def test_the_run_is_daily():
    schedule = next(one for one in TIMETABLE if one.kind is WARN_OF_KEYS)
    assert schedule.every == DAY
