"""Fixtures for drills: a stack on each engine, shared by a module's tests, mended before each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.factories import Stores

BOTH = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def fresh_stack(
    request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack with databases of its own, of which only Redis runs."""
    stores: Stores = request.getfixturevalue(f"{engine}_stores")
    settings = stores.fresh(tmp_path_factory.mktemp("stack") / "home")
    try:
        with Stack(settings) as stack:
            stack.redis()
            yield stack
    finally:
        stores.clean(settings)


@pytest.fixture(scope="module", params=BOTH)
def engine(request: pytest.FixtureRequest) -> str:
    """The kind of database; a module that needs one only says so with its own fixture of this name."""
    return str(request.param)
