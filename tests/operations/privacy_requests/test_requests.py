"""Requests about one's data: by when they are due, what happens at once, and how operators answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import Person
from pigi.domain.privacy_requests import RequestState, Right, due_by, months_after
from pigi.errors import Refused
from pigi.operations.accounts import read_account
from pigi.operations.audit import CLI
from pigi.operations.exports import Owner, list_exports
from pigi.operations.privacy_requests import (
    answer_request,
    enter_request,
    extend_request,
    list_requests,
    make_request,
    overdue_requests,
    read_own_request,
    read_request,
    standing_requests,
    withdraw_request,
)
from pigi.operations.privacy_requests.register import REQUEST
from pigi.store.ledgers import Mail
from pigi.store.people import Account
from tests.support.people import make_account


@pytest.fixture
def person(application):
    return Person(make_account(application), "")


def stops(application, person):
    with application.control.autocommit() as connection:
        return connection.execute(select(Account.stops).where(Account.id == person.account_id)).scalar_one()


def mails(application):
    with application.control.autocommit() as connection:
        return [tuple(row) for row in connection.execute(select(Mail.template, Mail.recipient_id))]


def came(application, request_id, ago):
    with application.control.autocommit() as connection:
        moment = now() - ago
        values = {"received_at": moment, "due_at": months_after(moment, 1)}
        connection.execute(update(REQUEST).where(REQUEST.c.id == request_id).values(values))


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        ("2026-01-15", 1, "2026-02-15"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 1, "2027-01-31"),
    ],
)
def test_a_month_is_a_calendar_month(received, months, due):
    moment = datetime.fromisoformat(received).replace(tzinfo=UTC)
    assert months_after(moment, months).date().isoformat() == due


def test_what_takes_somebody_waits_and_is_due_in_a_month(application, person):
    view = read_own_request(application, person.account_id, make_request(application, person, Right.ERASURE, "All."))
    assert (view.state, view.detail, view.overdue) == (RequestState.OPEN, "All.", False)
    assert view.due_at == months_after(view.received_at, 1)


def test_a_copy_starts_at_once(application, person):
    make_request(application, person, Right.ACCESS)
    assert len(list_exports(application, Owner(account_id=person.account_id))) == 1
    assert list_requests(application, person.account_id)[0].state == RequestState.ANSWERED


def test_restriction_counts_at_once_and_until_the_last_is_taken_back(application, person):
    first, second = (make_request(application, person, Right.RESTRICTION) for _ in range(2))
    assert stops(application, person) == "restriction"
    withdraw_request(application, person, first)
    assert stops(application, person) == "restriction"
    withdraw_request(application, person, second)
    assert stops(application, person) is None
    with pytest.raises(Refused, match="request_over"):
        withdraw_request(application, person, second)


def test_objection_and_restriction_leave_each_other_alone(application, person):
    objection = make_request(application, person, Right.OBJECTION)
    make_request(application, person, Right.RESTRICTION)
    withdraw_request(application, person, objection)
    assert stops(application, person) == "restriction"


def test_nobody_reads_or_takes_back_somebody_elses(application, person):
    request_id = make_request(application, person, Right.RESTRICTION)
    stranger = Person(make_account(application), "")
    with pytest.raises(Refused, match="not_found"):
        read_own_request(application, stranger.account_id, request_id)
    with pytest.raises(Refused, match="not_found"):
        withdraw_request(application, stranger, request_id)


def test_an_answer_is_mailed_to_the_account_and_to_whoever_has_none(application, person):
    with application.control.autocommit() as connection:
        email = connection.execute(select(Account.email).where(Account.id == person.account_id)).scalar_one()
    known = enter_request(application, CLI, Right.ERASURE, email)
    unknown = enter_request(application, CLI, Right.ACCESS, "somebody@example.org")
    assert read_request(application, known).account_id == person.account_id
    assert answer_request(application, CLI, known, "Done.").state == RequestState.ANSWERED
    assert answer_request(application, CLI, unknown, "Who are you?", refused=True).state == RequestState.REFUSED
    assert sorted(mails(application), key=str) == sorted(
        [("privacy-request-answered", person.account_id), ("privacy-request-answered", None)], key=str
    )
    with pytest.raises(Refused, match="request_over"):
        answer_request(application, CLI, known, "Again.")


def test_it_is_overdue_after_a_month_unless_extended_within_it(application):
    late = enter_request(application, CLI, Right.ERASURE, "late@example.org")
    extended = enter_request(application, CLI, Right.ERASURE, "extended@example.org")
    came(application, extended, timedelta(days=20))
    until = extend_request(application, CLI, extended, "Many asked.").extended_until
    assert until == months_after(read_request(application, extended).received_at, 3)
    came(application, late, timedelta(days=40))
    assert overdue_requests(application) == 1
    assert [view.overdue for view in list_requests(application, is_open=True)] == [True, False]
    for request_id in (late, extended):
        with pytest.raises(Refused, match="request_extended"):
            extend_request(application, CLI, request_id, "Again.")


def test_what_came_on_a_day_is_due_when_that_day_of_the_next_month_ends(application):
    came_on = datetime(2026, 1, 31, tzinfo=UTC)
    entered = enter_request(application, CLI, Right.ACCESS, "a@example.org", received_at=came_on)
    assert read_request(application, entered).due_at.isoformat() == "2026-03-01T00:00:00+00:00"
    assert due_by(datetime(2026, 1, 31, 9, tzinfo=UTC), 1).isoformat() == "2026-02-28T09:00:00+00:00"


@pytest.mark.parametrize(
    ("right", "stopped"),
    [(Right.RESTRICTION, "restriction"), (Right.OBJECTION, "objection:generation objection:statistics")],
)
def test_what_came_by_mail_counts_from_its_answer_unless_it_is_refused(application, person, right, stopped):
    email = read_account(application, person.account_id).email
    refused, followed = (enter_request(application, CLI, right, email) for _ in range(2))
    answer_request(application, CLI, refused, "Who are you?", refused=True)
    assert stops(application, person) is None
    answer_request(application, CLI, followed, "It is.")
    assert stops(application, person) == stopped
    withdraw_request(application, person, followed)
    assert stops(application, person) is None


def test_nobody_buries_the_register(application, person):
    for _ in range(20):
        make_request(application, person, Right.CORRECTION)
    with pytest.raises(Refused, match="too_many_privacy_requests") as refusal:
        make_request(application, person, Right.CORRECTION)
    assert refusal.value.details["retry_after"] <= 1800
    make_request(application, Person(make_account(application), ""), Right.CORRECTION)


def test_what_stands_is_found_whatever_was_asked_since(application, person):
    first, second = (make_request(application, person, Right.RESTRICTION) for _ in range(2))
    withdraw_request(application, person, second)
    make_request(application, person, Right.CORRECTION)
    standing = standing_requests(application, person.account_id)
    assert {right: view.id for right, view in standing.items()} == {"restriction": first}


def test_what_is_yet_to_come_cannot_be_entered(application):
    with pytest.raises(Refused, match="request_received_unfit"):
        enter_request(application, CLI, Right.ACCESS, "a@example.org", received_at=now() + timedelta(days=1))
