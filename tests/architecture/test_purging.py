"""No table of the control database is forgotten when an organisation is purged."""

from __future__ import annotations

from pigi.domain.privacy import Erasure
from pigi.operations.deletion.purge import HANDLED_ELSEWHERE, OWNED
from pigi.store.schema import CONTROL

TABLES = {table.name: table for table in CONTROL.sorted_tables}


def facts(column):
    return column.info["facts"]


def test_every_table_is_emptied_or_says_what_else_becomes_of_it():
    owned = [table.name for table in OWNED]
    assert sorted([*owned, *HANDLED_ELSEWHERE]) == sorted(TABLES)


def test_what_names_an_organisation_is_emptied_unless_its_columns_are_kept():
    naming = {name for name, table in TABLES.items() if "organisation_id" in table.c}
    kept = {name for name in naming if facts(TABLES[name].c.organisation_id).erasure is Erasure.KEPT}
    assert naming - kept - {"audit_content"} == {table.name for table in OWNED}


def test_nothing_that_is_emptied_has_a_column_that_is_kept():
    assert {f"{table.name}.{column.name}" for table in OWNED for column in table.c
            if facts(column).erasure is Erasure.KEPT} == set()  # fmt: skip


def test_whatever_refers_to_an_organisation_names_it_so():
    """A foreign key by another name would keep the organisation's row from ever going."""
    referring = {
        (name, column.name)
        for name, table in TABLES.items()
        for column in table.c
        for key in column.foreign_keys
        if key.column.table.name == "organisation"
    }
    assert {column for _name, column in referring} == {"organisation_id"}
    assert {name for name, _column in referring} <= {table.name for table in OWNED}
