"""A tenant database of an earlier release keeps its rows, and opens them, when it is brought up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, select, text

from pigi.store import migrate
from pigi.store.base import TenantBase
from pigi.store.engines import make_engine
from pigi.store.provision import tenant_databases
from pigi.store.tenant import Generation, LiveText
from tests.support.factories import add_generation

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pigi.settings import Settings
    from pigi.store.tenants import Tenants

PURPOSE = "Reviews changes."
ADDED = {"index_key", "project", "resource", "resource_revision"}


def upgrade_to(connection: Connection, revision: str) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrate.HERE / "tenant"))
    config.set_main_option("path_separator", "os")
    with migrate.ONE_AT_A_TIME:
        command.upgrade(config, revision)


@pytest.fixture
def released(settings: Settings, tenants: Tenants, organisation: str) -> str:
    """An organisation whose database is as the first release made it; its id."""
    engine = make_engine(tenant_databases(settings).url(organisation))
    with engine.begin() as connection:
        TenantBase.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        upgrade_to(connection, "0001")
        assert set(inspect(connection).get_table_names()) == {"alembic_version", "generation", "live_text"}
    engine.dispose()
    return organisation


def rows(tenants: Tenants, organisation: str) -> list[Any]:
    with tenants.read(organisation) as session:
        return [session.execute(select(table.__table__)).all() for table in (Generation, LiveText)]


def test_rows_of_the_first_release_survive_and_open(tenants: Tenants, released: str) -> None:
    with tenants.session(released) as session:
        generation_id = add_generation(session, purpose=PURPOSE)
        session.flush()
        sealed = session.sealer.seal("piece", "live_text", "text", f"{generation_id}/1")
        session.add(LiveText(generation_id=generation_id, position=1, turn=1, text=sealed))
    before = rows(tenants, released)
    assert tenants.migrate(released) == migrate.tenant_head()
    assert rows(tenants, released) == before
    with tenants.read(released) as session:
        row = session.get_one(Generation, generation_id)
        assert row.purpose is not None
        assert session.sealer.open(row.purpose, "generation", "purpose", generation_id) == PURPOSE
        assert set(inspect(session.connection()).get_table_names()) >= ADDED
        assert migrate.revision_of(session.connection()) == migrate.tenant_head()


def test_the_first_releases_code_goes_on_against_the_new_schema(tenants: Tenants, released: str) -> None:
    tenants.migrate(released)
    with tenants.session(released) as session:
        add_generation(session)
    assert len(rows(tenants, released)[0]) == 1


def test_migrating_again_changes_nothing(tenants: Tenants, released: str) -> None:
    assert tenants.migrate(released) == tenants.migrate(released) == migrate.tenant_head()
