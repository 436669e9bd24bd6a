"""Moments mean the same in both databases, and each has a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.exc import StatementError

from pigi.clock import now
from pigi.store.control import Heartbeat
from pigi.store.instants import database_now, from_text, to_text

if TYPE_CHECKING:
    from pigi.store.sessions import ControlDatabase

SOON = timedelta(minutes=1)
MOMENTS = [
    datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC),
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, 0, 1, timezone(timedelta(hours=5, minutes=30))),
    datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=-8))),
    datetime(2026, 3, 29, 1, 30, 0, 500_000, UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC),
]
ANY = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.timezones())  # noqa: DTZ001 - zones added


@given(ANY, ANY)
def test_text_keeps_the_moment_and_sorts_as_time_does(one: datetime, other: datetime) -> None:
    assert from_text(to_text(one)) == one.astimezone(UTC)
    assert len(to_text(one)) == 27
    assert (to_text(one) < to_text(other)) == (one.astimezone(UTC) < other.astimezone(UTC))


def test_moments_come_back_aware_in_utc_and_in_order(control: ControlDatabase) -> None:
    with control.begin() as session:
        session.add_all([Heartbeat(name=str(place), at=at) for place, at in enumerate(reversed(MOMENTS))])
    with control.read() as session:
        found = list(session.scalars(select(Heartbeat.at).order_by(Heartbeat.at)))
        later = session.scalar(select(func.count()).where(Heartbeat.at > MOMENTS[2]))
    assert found == sorted(MOMENTS)
    assert {moment.tzinfo for moment in found} == {UTC}
    assert later == sum(moment > MOMENTS[2] for moment in MOMENTS)


def test_a_naive_moment_is_refused(control: ControlDatabase) -> None:
    with pytest.raises(StatementError, match="aware"), control.begin() as session:
        session.add(Heartbeat(name="naive", at=datetime(2024, 1, 1)))  # noqa: DTZ001 - that is the point


def test_the_database_has_a_clock(control: ControlDatabase) -> None:
    with control.read() as session:
        at = session.scalar(select(database_now(0)))
        bound = session.scalar(select(database_now(bindparam("seconds"))), {"seconds": -1.5})
    assert at is not None
    assert bound is not None
    assert abs(at - now()) < SOON
    assert abs(at - bound - timedelta(seconds=1.5)) < SOON
    assert at > bound


def test_columns_compare_with_the_clock(control: ControlDatabase) -> None:
    with control.transaction() as connection:
        connection.execute(insert(Heartbeat).values(name="a", at=database_now(60)))
    with control.read() as session:
        assert session.scalar(select(func.count()).where(Heartbeat.at > database_now(0))) == 1
        assert session.scalar(select(func.count()).where(Heartbeat.at <= database_now(120))) == 1
        assert session.scalar(select(func.count()).where(Heartbeat.at <= database_now(0))) == 0
