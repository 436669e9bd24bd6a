"""Databases on PostgreSQL that one test gives back for another: empty, as they were made, or else never seen again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from pigi.application import Application
from pigi.store.sessions import ControlDatabase
from tests.support.factories import make_organisation
from tests.support.people import make_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pigi.settings import Settings
    from tests.support.postgres import PostgresStores


def identity(settings: Settings) -> int:
    """What a database keeps when it gets another name."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        row = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def stores(postgresql_stores: PostgresStores) -> Iterator[PostgresStores]:
    """With two databases to spare."""
    if postgresql_stores.server.external:
        pytest.skip("what a server of somebody else's lets nobody do")
    spare, postgresql_stores._spare = postgresql_stores._spare, type(postgresql_stores._spare)()
    yield postgresql_stores
    postgresql_stores._spare.extend(spare)


def test_a_database_is_given_out_again_with_nothing_in_it(stores: PostgresStores, tmp_path: Path) -> None:
    used, other = stores.fresh(tmp_path / "a"), stores.fresh(tmp_path / "b")
    application = Application.open(used)
    organisation = make_organisation(application.control, application.tenants)
    make_account(application)
    with psycopg.connect(used.database_url, autocommit=True) as connection:
        connection.execute("SELECT nextval('request_log_id_seq')")
    tenant, oid = used.tenant_database_url.format(id=organisation.replace("-", "")), identity(used)
    stores.clean(used)
    application.dispose()
    stores.clean(other)
    again = stores.fresh(tmp_path / "c")
    assert identity(again) == oid
    with psycopg.connect(again.database_url, autocommit=True) as connection:
        tables = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname !~ '^(pg|sql)_'")
        held = [name for (name,) in tables.fetchall() if connection.execute(f'TABLE "{name}"').fetchone()]
        assert held == ["alembic_version"]
        assert connection.execute("SELECT nextval('request_log_id_seq')").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(tenant)
    stores.clean(again)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE account ADD COLUMN more text",
        "ALTER TABLE billing_log DISABLE TRIGGER billing_log_keeps",
        "DROP TABLE evidence",
        "CREATE INDEX one_more ON account (id)",
        "UPDATE alembic_version SET version_num = '0001'",
    ],
)
def test_one_whose_schema_was_changed_is_not(change: str, stores: PostgresStores, tmp_path: Path) -> None:
    changed, others = stores.fresh(tmp_path / "a"), [stores.fresh(tmp_path / name) for name in "bc"]
    with psycopg.connect(changed.database_url, autocommit=True) as connection:
        connection.execute(change)
    oid = identity(changed)
    for one in (changed, *others):
        stores.clean(one)
    again = stores.fresh(tmp_path / "d")
    assert identity(again) != oid
    ControlDatabase(again.database_url).dispose()
    stores.clean(again)
