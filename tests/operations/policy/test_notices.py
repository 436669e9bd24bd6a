"""Notices of a material version: everybody once, on top of what pages show, and nobody in anybody's way."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import worker.app  # noqa: F401 - importing registers
from pigi.clock import now
from pigi.domain.access import Person
from pigi.domain.mail import moment
from pigi.domain.privacy_requests import Right
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import ANNOUNCE_POLICY, NOTIFY_OF_POLICY, SEND_MAIL
from pigi.jobs.model.transitions import JOB
from pigi.jobs.queueing.enqueue import enqueue
from pigi.operations.audit import CLI
from pigi.operations.mail.ledger import MAIL
from pigi.operations.mail.sending import _write
from pigi.operations.policy import (
    Proposal,
    close_notice,
    coming_policy,
    count_notices,
    late_notices,
    policy_history,
    publish_policy,
)
from pigi.operations.policy.notices import NOTICE
from pigi.operations.policy.versions import VERSION
from pigi.operations.privacy_requests import make_request
from pigi.store.people import Account
from standins.mail.faults import FaultyMail, drop, ok
from tests.operations.policy.test_publishing import a_sentence, as_file
from tests.support.mail import Office
from tests.support.people import make_account


@pytest.fixture
def office(application):
    with FaultyMail() as sink:
        yield Office(application, sink)


def publish_material(application, end=" It is shared with advertisers."):
    sentence = a_sentence(application, 2)
    data = as_file(application, **{sentence.id: f"{sentence.text}{end}"})
    del data["effective_at"]
    return publish_policy(application, CLI, Proposal(data))


def announce(application, office):
    """Do every job that announces."""
    for job in waiting(application, ANNOUNCE_POLICY):
        run(HANDLERS[ANNOUNCE_POLICY.name], job, office.worker_context)


def waiting(application, kind):
    query = select(JOB.c.id).where(JOB.c.kind == kind.name, JOB.c.state == "queued").order_by(JOB.c.id)
    with application.control.autocommit() as connection:
        return list(connection.execute(query).scalars())


def told(application):
    with application.control.autocommit() as connection:
        return {row.account_id: row.state for row in connection.execute(select(NOTICE))}


def test_everybody_in_use_is_told_once_and_what_became_of_it_is_kept(application, office):
    people = [make_account(application, email=f"p{n}@example.org") for n in range(3)]
    operator = make_account(application, operator=True, email="operator@example.org")
    make_account(application, state="deleting", email="gone@example.org")
    make_request(application, Person(people[0], f"account:{people[0]}"), Right.RESTRICTION)
    with application.control.begin() as session:
        at = now()
        session.add(Account(id=new_id(), kind="canary", name="Canary", email="c@canary.invalid",
                            email_key="c@canary.invalid", password_hash="", state="active", created_at=at,
                            password_changed_at=at))  # fmt: skip
    publish_material(application)
    late = make_account(application, email="late@example.org")
    announce(application, office)
    assert set(told(application)) == {*people, operator}
    office.sink.usual = lambda recipient, _n: drop("taken") if recipient == "p1@example.org" else ok()
    for job in waiting(application, NOTIFY_OF_POLICY):
        run(HANDLERS[NOTIFY_OF_POLICY.name], job, office.worker_context)
    assert Counter(told(application).values()) == {"sent": 3, "unknown": 1}
    (counts,) = count_notices(application)
    assert (counts.sent, counts.unknown, counts.failed, counts.queued, counts.waiting) == (3, 1, 0, 0, 0)
    assert len(office.sink.arrived("p0@example.org")) == 1
    assert office.sink.arrived("late@example.org") == office.sink.arrived("gone@example.org") == []
    assert coming_policy(application, late).number == 2


def test_a_notice_says_what_changes_and_from_when(application, office):
    make_account(application)
    publish_material(application)
    announce(application, office)
    with application.control.autocommit() as connection:
        letter = _write(office.application, connection.execute(select(MAIL)).one())
    assert "shared with advertisers" in " ".join(letter.text.split())
    assert moment(policy_history(application).newest.effective_at) in letter.text
    assert "https://pigi.example/policy/versions?version=2&against=1" in letter.text


def test_a_run_that_is_repeated_tells_nobody_twice_and_takes_in_who_came_back(application, office, monkeypatch):
    monkeypatch.setattr("pigi.operations.policy.notices.BATCH", 2)
    people = [make_account(application) for _ in range(5)]
    back = make_account(application, state="deleting")
    publish_material(application)
    with application.control.begin() as session:
        for _ in range(2):
            enqueue(session, application.notifier, ANNOUNCE_POLICY, organisation_id=None, requested_by="schedule")
    announce(application, office)
    assert set(told(application)) == set(people)
    assert len(waiting(application, NOTIFY_OF_POLICY)) == len(people)
    with application.control.autocommit() as connection:
        connection.execute(update(Account).where(Account.id == back).values(state="active"))
        enqueue_again(application)
    announce(application, office)
    assert set(told(application)) == {*people, back}


def enqueue_again(application):
    with application.control.begin() as session:
        enqueue(session, application.notifier, ANNOUNCE_POLICY, organisation_id=None, requested_by="schedule")


def test_a_mail_that_somebody_waits_for_is_not_behind_the_notices(application, office):
    for _ in range(20):
        make_account(application)
    publish_material(application)
    announce(application, office)
    office.password_changed("waits@example.org")
    with application.control.autocommit() as connection:
        published = Counter(connection.execute(select(JOB.c.kind).where(JOB.c.published_at.is_not(None))).scalars())
    assert published[SEND_MAIL.name] == 1
    assert published[NOTIFY_OF_POLICY.name] == 3


def test_the_notice_on_pages_goes_when_it_is_closed_or_takes_effect(application):
    account = make_account(application)
    assert coming_policy(application, account) is None
    publish_material(application)
    assert coming_policy(application, account).number == 2
    with pytest.raises(Refused, match="not_found"):
        close_notice(application, account, 3, lambda _session: None)
    close_notice(application, account, 2, lambda _session: None)
    assert coming_policy(application, account) is None
    close_notice(application, account, 1, lambda _session: None)
    assert coming_policy(application, account) is None
    other = make_account(application)
    with application.control.autocommit() as connection:
        connection.execute(update(VERSION).where(VERSION.c.number == 2).values(effective_at=now()))
    assert coming_policy(application, other) is None
    assert policy_history(application).current.number == 2


def test_who_was_not_told_within_a_day_is_counted(application, office):
    make_account(application)
    publish_material(application)
    assert late_notices(application) == (0, 0)
    with application.control.autocommit() as connection:
        published = now() - timedelta(days=2)
        connection.execute(update(VERSION).where(VERSION.c.number == 2).values(published_at=published))
        connection.execute(update(Account).values(created_at=published))
    assert late_notices(application) == (1, 0)
    announce(application, office)
    assert late_notices(application) == (0, 0)


def test_notices_go_with_their_account(application, office):
    account = make_account(application)
    publish_material(application)
    announce(application, office)
    with application.control.autocommit() as connection:
        assert connection.execute(select(MAIL.c.recipient_id)).scalars().all() == [account]
        connection.execute(Account.__table__.delete().where(Account.id == account))
    assert told(application) == {}
