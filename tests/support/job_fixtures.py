"""Fixtures of the tests of jobs, tasks, schedules and operations; their conftest files import them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pigi.application import Application
from pigi.jobs.kind import Delivery, Kind
from pigi.jobs.kinds import CATALOGUE
from pigi.jobs.queueing.notifications import Notifier
from standins.stripe.faults import FaultyStripe
from tests.support.jobs import make_worker_context, with_notifier
from tests.support.processes import Crowd
from tests.support.redis import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.jobs.execution.context import WorkerContext
    from pigi.settings import Settings
    from pigi.store.keyring import Keyring
    from pigi.store.sessions import ControlDatabase
    from pigi.store.tenants import Tenants


@pytest.fixture
def application(settings: Settings, control: ControlDatabase, keyring: Keyring, tenants: Tenants) -> Application:
    """An application whose Redis is away."""
    return Application(settings, control, keyring, tenants, Notifier(settings.redis_url))


@pytest.fixture
def worker_context(application: Application) -> WorkerContext:
    """A worker's hands; the model has no script yet."""
    return make_worker_context(application)


@pytest.fixture
def stripe() -> Iterator[FaultyStripe]:
    """Stripe, as a stand-in that fails on demand; it delivers no event by itself."""
    with FaultyStripe() as server:
        yield server


@pytest.fixture
def trial(monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind with one effect of each policy."""
    kinds = {"least": Delivery.AT_LEAST, "most": Delivery.AT_MOST, "exact": Delivery.EXACTLY}
    kind = Kind("tests.trial", queue="mail", attempts=3, effects=kinds)
    monkeypatch.setitem(CATALOGUE, kind.name, kind)
    return kind


@pytest.fixture
def cleanup_trial(monkeypatch: pytest.MonkeyPatch) -> Kind:
    """A kind whose end leaves something to put away."""
    kind = Kind("tests.closing", queue="mail", attempts=3, cleanup=lambda *_facts: None)
    monkeypatch.setitem(CATALOGUE, kind.name, kind)
    return kind


@pytest.fixture(scope="package")
def crowd() -> Iterator[Crowd]:
    """Processes that begin at the same moment."""
    with Crowd() as found:
        yield found


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def with_redis(application: Application, redis_server: RedisServer) -> Iterator[Application]:
    """An application whose Redis is there, and empty."""
    redis_server.reset()
    made = with_notifier(application, redis_server.url)
    yield made
    made.notifier.close()
    redis_server.reset()
