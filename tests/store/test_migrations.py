"""The migrations make what the models say, on both engines, also when processes migrate together."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from pigi.store import migrate
from pigi.store.engines import make_engine
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from pigi.settings import Settings
    from tests.support.factories import Stores

TREES = {"control": (migrate.migrate_control, CONTROL), "tenant": (migrate.migrate_tenant, TENANT)}
MIGRATE = "import sys; from pigi.store.migrate import migrate_control; print(migrate_control(sys.argv[1]))"


@pytest.fixture
def bare(stores: Stores, tmp_path: Path) -> Any:
    """Settings whose databases do not exist."""
    settings = stores.bare(tmp_path / "some" / "home")
    yield settings
    stores.clean(settings)


def shape(connection: Connection) -> dict[str, Any]:
    """All that a database says about its tables: more than Alembic compares, names and partial indexes included."""
    inspector = inspect(connection)
    tables = [table for table in inspector.get_table_names() if table != "alembic_version"]
    return {
        table: {
            "columns": [{**column, "type": str(column["type"])} for column in inspector.get_columns(table)],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(inspector.get_foreign_keys(table), key=str),
            "unique": sorted(inspector.get_unique_constraints(table), key=str),
            "checks": sorted(inspector.get_check_constraints(table), key=str),
            "indexes": sorted(map(spelt_out, inspector.get_indexes(table)), key=str),
        }
        for table in tables
    }


def spelt_out(index: Any) -> dict[str, Any]:
    """The index with its conditions as text."""
    options = index.get("dialect_options", {})
    return {**index, "dialect_options": {name: str(value) for name, value in options.items()}}


@pytest.mark.parametrize("tree", TREES)
def test_migrations_equal_the_models(bare: Settings, tree: str) -> None:
    url = bare.database_url
    upgrade, metadata = TREES[tree]
    migrate.migrate_control(url)
    engine = make_engine(url)
    with engine.begin() as connection:
        drop_all(connection)
    assert upgrade(url) == migrate.control_revision(url)
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        migrated = shape(connection)
        drop_all(connection)
        metadata.create_all(connection)
        assert migrated == shape(connection)
    engine.dispose()


def drop_all(connection: Connection) -> None:
    """Drop whatever is there, children first."""
    for metadata in (CONTROL, TENANT):
        metadata.drop_all(connection)
    connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")


@pytest.mark.parametrize(("tree", "head"), [("control", migrate.control_head), ("tenant", migrate.tenant_head)])
def test_a_tree_is_one_line_of_numbers(tree: str, head: Any) -> None:
    scripts = ScriptDirectory(str(migrate.HERE / tree))
    assert scripts.get_heads() == [head()]
    revisions = sorted(script.revision for script in scripts.walk_revisions())
    assert revisions == [f"{number:04}" for number in range(1, len(revisions) + 1)]
    assert all(Path(script.path).name.startswith(f"{script.revision}_") for script in scripts.walk_revisions())
    assert "previous version" in (migrate.HERE / tree / "script.py.mako").read_text()


def test_the_control_database_is_made_and_kept_private(bare: Settings) -> None:
    assert migrate.control_revision(bare.database_url) == ""
    assert migrate.migrate_control(bare.database_url) == migrate.control_head()
    assert migrate.migrate_control(bare.database_url) == migrate.control_revision(bare.database_url)
    made = [*bare.home.parent.rglob("*")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)


def test_processes_may_migrate_together(bare: Settings) -> None:
    command = [sys.executable, "-c", MIGRATE, bare.database_url]
    root = Path(migrate.__file__).parents[2]
    running = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == [migrate.control_head()] * 4


def test_threads_may_migrate_different_databases(stores: Stores, tmp_path: Path) -> None:
    settings = [stores.bare(tmp_path / str(number)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        revisions = list(pool.map(migrate.migrate_control, [each.database_url for each in settings]))
    assert revisions == [migrate.control_head()] * 4
    for each in settings:
        stores.clean(each)


def test_a_newer_schema_is_left_alone(settings: Settings) -> None:
    engine = make_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert migrate.migrate_control(settings.database_url) == "9999"


@pytest.mark.parametrize("engine_kind", ["postgresql"], indirect=True)
def test_a_server_that_cannot_be_reached_is_an_error(settings: Settings, tmp_path: Path) -> None:
    away = settings.database_url.partition("?")[0] + f"?host={tmp_path}"
    for ask in (migrate.migrate_control, migrate.control_revision):
        with pytest.raises(OperationalError):
            ask(away)


def test_importing_the_stores_does_not_load_alembic() -> None:
    root = Path(migrate.__file__).parents[2]
    code = "import sys, pigi.store.tenants, pigi.store.migrate; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
