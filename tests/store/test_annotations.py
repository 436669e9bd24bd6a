"""Every column carries its privacy facts (promise P07)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL, MetaData, String, inspect
from sqlalchemy.orm import mapped_column

from pigi.domain.privacy import ColumnFacts
from pigi.store.base import ControlBase, TenantBase, UnannotatedColumnError
from pigi.store.engines import make_engine
from pigi.store.provision import tenant_databases

if TYPE_CHECKING:
    from pigi.settings import Settings
    from pigi.store.tenants import Tenants

ALEMBICS_OWN = {"alembic_version"}


def unexplained(url: str | URL, metadata: MetaData) -> list[str]:
    """Columns of a real database that have no facts."""
    engine = make_engine(url)
    inspector = inspect(engine)
    known = {name: {column.name: column for column in table.columns} for name, table in metadata.tables.items()}
    found = [
        f"{table}.{column['name']}"
        for table in set(inspector.get_table_names()) - ALEMBICS_OWN
        for column in inspector.get_columns(table)
        if not isinstance(known[table][column["name"]].info.get("facts"), ColumnFacts)
    ]
    engine.dispose()
    return found


def test_every_column_of_a_migrated_control_database_has_facts(settings: Settings) -> None:
    assert unexplained(settings.database_url, ControlBase.metadata) == []


def test_every_column_of_a_migrated_tenant_database_has_facts(
    settings: Settings, tenants: Tenants, organisation: str
) -> None:
    assert tenants.provision(organisation)
    assert unexplained(tenant_databases(settings).url(organisation), TenantBase.metadata) == []


@pytest.mark.parametrize("base", [ControlBase, TenantBase])
def test_a_bare_column_fails_at_import(base: type) -> None:
    body = {
        "__tablename__": "bare",
        "metadata": MetaData(),
        "id": mapped_column(String(36), primary_key=True),
        "note": mapped_column(String(36), info={}),
    }
    with pytest.raises(UnannotatedColumnError, match="columns without privacy facts: id, note"):
        type(f"Bare{base.__name__}", (base,), body)
