"""Usage signals become counts that say nothing of anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from pigi.application import Application
from pigi.clock import now
from pigi.domain.access import Person
from pigi.domain.privacy_requests import Right
from pigi.domain.usage import rounded
from pigi.ids import new_id
from pigi.operations.privacy_requests import make_request, withdraw_request
from pigi.operations.usage import aggregate_usage, counting
from pigi.operations.usage.counting import DAILY
from pigi.store.control import Organisation
from pigi.store.log_entries import USAGE
from tests.support.audits import Unhurried
from tests.support.jobs import register_organisation
from tests.support.people import make_member

DAY = timedelta(days=1)


@pytest.fixture
def application(settings):
    opened = Application.open(settings)
    yield opened
    opened.dispose()


def use(application, event, organisations, times=1, age=DAY):
    for _ in range(organisations):
        use_by(application, new_id(), event, times, age)


def use_by(application, organisation, event, times=1, age=DAY):
    row = {"at": now() - age, "event": event, "organisation_id": organisation}
    with application.control.transaction() as connection:
        connection.execute(insert(USAGE), [row] * times)


def daily(application):
    with application.control.autocommit() as connection:
        return {(row.day, row.event): row.count for row in connection.execute(select(DAILY))}


def signals(application):
    with application.control.autocommit() as connection:
        return len(connection.execute(select(USAGE)).all())


def test_a_day_that_is_over_is_counted_and_its_signals_go(application, monkeypatch):
    monkeypatch.setattr(counting, "BATCH", 5)
    yesterday, before = (now() - DAY).date(), (now() - 2 * DAY).date()
    use(application, "generation.asked", 12, times=3)
    use(application, "generation.asked", 10, age=2 * DAY)
    aggregate_usage(Unhurried(), application)
    assert daily(application) == {(yesterday, "generation.asked"): 40, (before, "generation.asked"): 10}
    assert signals(application) == 0


def test_what_fewer_than_ten_organisations_did_is_left_out(application):
    use(application, "generation.asked", 9, times=100)
    aggregate_usage(Unhurried(), application)
    assert daily(application) == {}
    assert signals(application) == 0


def test_what_one_organisation_did_most_of_is_left_out(application):
    use(application, "key.made", 10)
    use(application, "key.made", 1, times=11)
    use(application, "agent.made", 10)
    use(application, "agent.made", 1, times=10)
    aggregate_usage(Unhurried(), application)
    assert [event for _day, event in daily(application)] == ["agent.made"]


def test_the_canary_is_no_tenth_organisation(application):
    use(application, "key.made", 9)
    canary = register_organisation(application.control)
    with application.control.transaction() as connection:
        connection.execute(update(Organisation).where(Organisation.id == canary).values(canary=True))
    use_by(application, canary, "key.made")
    aggregate_usage(Unhurried(), application)
    assert daily(application) == {}


@pytest.mark.parametrize("right", [Right.OBJECTION, Right.RESTRICTION])
def test_what_may_be_somebodys_who_stopped_statistics_is_not_counted(application, right):
    organisation = register_organisation(application.control)
    person = Person(make_member(application, organisation), "")
    use(application, "key.made", 12)
    use_by(application, organisation, "key.made", times=10)
    request_id = make_request(application, person, right)
    aggregate_usage(Unhurried(), application)
    assert list(daily(application).values()) == [10]
    # Taken back, it counts as anybody's.
    withdraw_request(application, person, request_id)
    use(application, "agent.made", 12)
    use_by(application, organisation, "agent.made", times=10)
    aggregate_usage(Unhurried(), application)
    assert sorted(daily(application).values()) == [10, 20]


def test_today_waits_for_its_end(application):
    use(application, "generation.asked", 20, age=timedelta(0))
    aggregate_usage(Unhurried(), application)
    assert daily(application) == {}
    assert signals(application) == 20


def test_a_count_that_was_made_does_not_change(application):
    use(application, "generation.asked", 20)
    aggregate_usage(Unhurried(), application)
    use(application, "generation.asked", 50)
    aggregate_usage(Unhurried(), application)
    assert list(daily(application).values()) == [20]


def test_counts_are_about_nobody():
    assert set(DAILY.c.keys()) == {"day", "event", "count"}


@pytest.mark.parametrize(("count", "shown"), [(10, 10), (14, 10), (15, 20), (24, 20), (25, 30)])
def test_counts_are_rounded_to_ten(count, shown):
    assert rounded(count) == shown
