"""Fixtures that many folders share: settings and stores, on both engines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pydantic import AliasChoices

from pigi.settings import Settings
from pigi.store.keyring import Keyring
from pigi.store.sessions import ControlDatabase
from pigi.store.tenants import Tenants
from tests.support.factories import Stores, make_organisation
from tests.support.postgres import PostgresStores
from tests.support.sqlite import SqliteStores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def pytest_configure() -> None:
    """A developer's own settings must not reach the tests."""
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            for name in field.validation_alias.choices:
                os.environ.pop(str(name), None)


@pytest.fixture(scope="session")
def sqlite_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStores]:
    """Migrated files to copy from."""
    with SqliteStores(tmp_path_factory.mktemp("stores")) as stores:
        yield stores


@pytest.fixture(scope="session")
def postgresql_stores() -> Iterator[PostgresStores]:
    """A PostgreSQL server, started by the first test that asks for it."""
    with PostgresStores() as stores:
        yield stores


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_kind(request: pytest.FixtureRequest) -> str:
    """The kind of engine: a test that uses this, or a store, runs once on each."""
    return str(request.param)


@pytest.fixture
def stores(engine_kind: str, request: pytest.FixtureRequest) -> Stores:
    """Databases of that kind."""
    found: Stores = request.getfixturevalue(f"{engine_kind}_stores")
    return found


@pytest.fixture
def settings(stores: Stores, tmp_path: Path) -> Iterator[Settings]:
    """An installation of its own, with an empty control database; its databases are dropped afterwards."""
    made = stores.fresh(tmp_path / "home")
    yield made
    stores.clean(made)


@pytest.fixture
def control(settings: Settings) -> Iterator[ControlDatabase]:
    """The control database, migrated and empty."""
    database = ControlDatabase(settings.database_url)
    yield database
    database.dispose()


@pytest.fixture
def keyring(settings: Settings) -> Keyring:
    """The installation's keyring."""
    return Keyring.from_settings(settings)


@pytest.fixture
def tenants(settings: Settings, control: ControlDatabase, keyring: Keyring) -> Iterator[Tenants]:
    """The tenant databases, none yet."""
    door = Tenants(settings, control, keyring)
    yield door
    door.dispose()


@pytest.fixture
def organisation(control: ControlDatabase, tenants: Tenants) -> str:
    """An organisation with its key and its database; its id."""
    return make_organisation(control, tenants)
