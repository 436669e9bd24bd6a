"""Each control can fail: its violation, planted, turns its own promise red and no other."""

from __future__ import annotations

import pytest

from pigi.application import Application
from pigi.domain.controls import Evidence
from pigi.domain.promises import PROMISES
from pigi.operations.promises import all_controls
from tests.support.live_web import a_port, live
from tests.support.promises import World, by_promise, cheap, planted

NAMES = [name for name, control in all_controls().items() if control.kind is not Evidence.ATTESTED]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request, tmp_path_factory):
    stores = request.getfixturevalue(f"{request.param}_stores")
    fresh = stores.fresh(tmp_path_factory.mktemp("promises") / "home")
    redis = request.getfixturevalue("redis_server")
    redis.reset()
    settings = fresh.model_copy(update={"redis_url": redis.url, "public_url": f"http://127.0.0.1:{a_port()}"})
    application = Application.open(settings)
    with live(application) as web:
        made = World.of(application, web)
        states = made.check(NAMES)
        expected = dict.fromkeys(PROMISES, "stale") | dict.fromkeys(by_promise(), "holding")
        assert states == expected
        yield made
    application.dispose()
    stores.clean(settings)


@pytest.mark.parametrize("name", NAMES)
def test_a_violation_turns_its_own_line_red_and_mending_it_turns_it_back(world, name):
    control = all_controls()[name]
    for plant in planted()[name]:
        with plant(world):
            states = world.check({*cheap(), name})
            assert [promise for promise, state in states.items() if state == "failing"] == [control.promise]
    assert world.check({name})[control.promise] == "holding"


def test_every_control_has_a_planted_violation():
    assert set(planted()) == set(NAMES)
