"""Waiting for a database, alike on both engines: for another's lock a while, and for a silent server seconds."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from pigi.operations.generations import GENERATION
from pigi.store import engines
from pigi.store.migrate import migrate_control
from pigi.store.outages import retry_while_unavailable
from tests.support.waits import lock_milliseconds

TOUCH = update(GENERATION).values(fence=GENERATION.c.fence)


def test_a_lock_is_waited_for_fifteen_seconds_wherever_it_is(control, tenants, organisation):
    with control.transaction() as connection:
        assert lock_milliseconds(connection) == 15_000
    with control.autocommit() as connection:
        assert lock_milliseconds(connection) == 15_000
    with tenants.session(organisation) as tenant:
        assert lock_milliseconds(tenant.connection()) == 15_000


def test_who_migrates_waits_for_the_others_without_end(settings, monkeypatch):
    if settings.database_url.startswith("sqlite"):
        pytest.skip("a lock file, for which there is no limit")
    heard = []
    monkeypatch.setattr(
        "pigi.store.migrate.lock_name", lambda connection, _name: heard.append(lock_milliseconds(connection))
    )
    migrate_control(settings.database_url)
    assert heard == [0]


@pytest.mark.parametrize("way", ["session", "read"])
def test_whoever_says_so_waits_for_less_and_the_next_for_as_long_as_ever(tenants, organisation, way):
    with engines.lock_wait(0.5), getattr(tenants, way)(organisation) as tenant:
        assert lock_milliseconds(tenant.connection()) == 500
    for other in ("read", "session"):
        with getattr(tenants, other)(organisation) as tenant:
            assert lock_milliseconds(tenant.connection()) == 15_000


def test_a_block_within_another_cannot_wait_for_longer(control):
    with engines.lock_wait(0.5), engines.lock_wait(5), control.transaction() as connection:
        assert lock_milliseconds(connection) == 500


def test_a_tenant_whose_lock_does_not_come_is_busy_and_not_missing(tenants, organisation):
    with tenants.session(organisation) as tenant:
        lock = "PRAGMA user_version" if engines.is_sqlite(tenant.connection()) else "LOCK TABLE generation"
        tenant.connection().execute(text(lock))
        with engines.lock_wait(0.1), pytest.raises(OperationalError), tenants.session(organisation) as other:
            other.connection().execute(TOUCH)


def test_tries_while_a_database_is_away_wait_for_locks_no_longer_than_their_time_is(control):
    heard = []

    def act():
        with control.autocommit() as connection:
            heard.append(lock_milliseconds(connection))
        raise OperationalError("SELECT", None, ConnectionError())

    with pytest.raises(OperationalError):
        retry_while_unavailable(act, 0.3)
    assert heard[0] == math.ceil(0.3 + engines.TRY_SECONDS) * 1000
    assert heard == sorted(heard, reverse=True)
    assert len(heard) > 1


def test_what_is_named_is_tried_again_like_an_outage():
    tries = iter([KeyError(), KeyError(), None])

    def act():
        if error := next(tries):
            raise error
        return "done"

    assert retry_while_unavailable(act, 5, (KeyError,)) == "done"


def test_a_postgresql_that_falls_silent_is_noticed_within_seconds(control, engine_kind):
    if engine_kind == "sqlite":
        pytest.skip("a file")
    with control.autocommit() as connection:
        parameters = connection.connection.driver_connection.info.get_parameters()
    assert {name: parameters[name] for name in ("connect_timeout", "tcp_user_timeout", "keepalives_idle")} == {
        "connect_timeout": "4",
        "tcp_user_timeout": "4000",
        "keepalives_idle": "2",
    }


def test_what_an_address_says_of_its_network_counts(settings, engine_kind):
    if engine_kind == "sqlite":
        pytest.skip("a file")
    sign = "&" if "?" in settings.database_url else "?"
    engine = engines.make_engine(f"{settings.database_url}{sign}keepalives_idle=9&options=-c%20lock_timeout%3D77")
    with engine.connect() as connection:
        assert connection.connection.driver_connection.info.get_parameters()["keepalives_idle"] == "9"
        assert lock_milliseconds(connection) == 77
    engine.dispose()
