"""Fixtures for drills: one stack on each engine, shared by a folder's tests and mended before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stack import HELD_WORKER, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.factories import Stores

CHILDREN = 8


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The kind of database; the tests of one kind run together."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_stack(
    request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Redis, a beat, and a worker of the pool ``ai`` that can be held at named moments."""
    stores: Stores = request.getfixturevalue(f"{engine}_stores")
    settings = stores.fresh(tmp_path_factory.mktemp("stack") / "home")
    try:
        with Stack(settings) as stack:
            stack.redis()
            stack.worker(children=CHILDREN, app=HELD_WORKER)
            stack.beat()
            yield stack
    finally:
        stores.clean(settings)


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Callable[[str, float], None]:
    """Keeps a measured number beside the test's result (``--junitxml`` shows it)."""
    return lambda name, value: request.node.user_properties.append((name, value))


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """The shared stack with all of it at work."""
    shared_stack.mend()
    return shared_stack
