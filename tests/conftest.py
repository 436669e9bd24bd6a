"""Fixtures that many folders share: settings and stores, on both engines."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as examples
from pydantic import AliasChoices

from pigi.settings import Settings
from pigi.store.keyring import Keyring
from pigi.store.sessions import ControlDatabase
from pigi.store.tenants import Tenants
from tests.support.chance import SAME
from tests.support.factories import Stores, make_organisation
from tests.support.postgres import PostgresStores, memory
from tests.support.remembered import remembered
from tests.support.sharing_out import Sharing
from tests.support.sqlite import SqliteStores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xdist.remote import Producer

examples.load_profile(SAME)  # before pytest loads the one that its command names


def pytest_configure() -> None:
    """A developer's own settings must not reach the tests."""
    for field in Settings.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            for name in field.validation_alias.choices:
                os.environ.pop(str(name), None)
    folder = memory()
    if folder is not None:
        # Where `tmp_path` is: SQLite waits for a disk at each commit, and is right to.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing | None:
    """Called where the tests are shared out, with `-n`."""
    return Sharing(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Half a million objects of modules and tests stay to the end; the collector need not walk them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Statements and routes are compiled once a run."""
    with remembered():
        yield


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
