"""Usage signals become counts that say nothing of anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from pigi.application import Application
from pigi.clock import now
from pigi.domain.usage import rounded
from pigi.ids import new_id
from pigi.operations.usage import aggregate_usage, counting
from pigi.operations.usage.counting import DAILY
from pigi.store.log_entries import USAGE
from tests.support.audits import Unhurried

DAY = timedelta(days=1)


@pytest.fixture
def application(settings):
    opened = Application.open(settings)
    yield opened
    opened.dispose()


def use(application, event, organisations, times=1, age=DAY):
    moment = now() - age
    for _ in range(organisations):
        row = {"at": moment, "event": event, "organisation_id": new_id()}
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
