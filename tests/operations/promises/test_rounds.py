"""The canary's rounds go on for ever, and what they leave does not grow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from pigi.clock import now
from pigi.domain.controls import SHOWS_WITHIN
from pigi.ids import new_id
from pigi.jobs.heartbeats import record
from pigi.operations.promises import all_controls, check_controls, promises_standing, rounds
from pigi.operations.promises.canary import resident
from pigi.operations.promises.rounds import ACCESS, CONFIGURATION, GENERATION, NothingYetError, begin_acts
from pigi.store.erasures import ErasureLog
from pigi.store.schema import CONTROL
from tests.support.live_web import a_port, live
from tests.support.promises import World

EXPORT = "configuration-export-is-whole"


@pytest.fixture
def world(application, redis_server):
    redis_server.reset()
    settings = application.settings.model_copy(
        update={"redis_url": redis_server.url, "public_url": f"http://127.0.0.1:{a_port()}"}
    )
    application = replace(application, settings=settings)
    with live(application) as web:
        yield World.of(application, web)


def _left(application):
    with application.control.autocommit() as connection:
        rows = {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in CONTROL.sorted_tables
        }
    with application.tenants.read(resident(application).organisation_id) as tenant:
        rows["drafts"] = tenant.connection().execute(select(func.count()).select_from(rounds.DRAFTS)).scalar_one()
    return rows | {"files": len(list(application.files.find(""))), "erased": len(_erased(application))}


def _erased(application):
    return ErasureLog.from_settings(application.settings).digests()


def test_what_rounds_leave_does_not_grow(world):
    begin_acts(world.application, lambda: None)
    world.work()
    before = _left(world.application)
    for _round in range(2):
        begin_acts(world.application, lambda: None)
        world.work()
    after = _left(world.application)
    # An account's purge that found its organisation's under way did nothing, and goes with its deletion.
    assert abs(after.pop("job") - before.pop("job")) <= 2
    assert after == before
    assert before["receipt"] == 4


def test_one_that_has_not_ended_is_waited_for_and_what_ended_before_is_judged(world):
    application = world.application
    first = {name: rounds.ended(application, name).id for name in (GENERATION, ACCESS, CONFIGURATION)}
    begin_acts(application, lambda: None)
    begin_acts(application, lambda: None)
    assert {name: rounds.ended(application, name).id for name in first} == first
    world.work()
    assert all(rounds.ended(application, name).id > one for name, one in first.items())


def test_evidence_ages_from_the_act_however_often_it_is_looked_at(world, monkeypatch):
    application, control = world.application, all_controls()[EXPORT]
    world.check([EXPORT])
    act = rounds.ended(application, CONFIGURATION).created_at
    for minutes in (5, 10, 14):
        monkeypatch.setattr("pigi.operations.promises.checking.now", lambda late=minutes: act + timedelta(minutes=late))
        assert check_controls(application, [control]) == {EXPORT: "holding"}
    standing = next(one for one in promises_standing(application) if one.id == control.promise)
    assert standing.valid_until == act + SHOWS_WITHIN


def test_without_a_round_nothing_is_judged(application):
    with application.control.autocommit() as connection:
        record(connection, ACCESS, new_id())
    with pytest.raises(NothingYetError):
        rounds.ended(application, ACCESS)
    assert check_controls(application, [all_controls()[EXPORT]]) == {EXPORT: None}
    own = {one.control.name: one for standing in promises_standing(application) for one in standing.controls}
    assert (own[EXPORT].state, own[EXPORT].trouble, own[EXPORT].checked_at) == ("stale", "NothingYetError", None)
    assert own[EXPORT].valid_until <= now()
