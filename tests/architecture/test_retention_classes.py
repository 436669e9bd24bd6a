"""Every class of retention that a column names has its period, and every class is used."""

from __future__ import annotations

import pytest

from pigi.domain.retention import PERIODS, Retention
from pigi.privacy.inventory import inventory
from pigi.store.control import Job
from pigi.store.schema import CONTROL, TENANT
from pigi.store.tenant import Generation

COLUMNS = {
    f"{table.name}.{column.name}": column
    for metadata in (CONTROL, TENANT)
    for table in metadata.tables.values()
    for column in table.columns
}
OBJECTS = {Retention.EXPORT, Retention.ERASURE}
"""Classes of what is no row: files of exports, and the erasure log."""


def classes(column):
    """The classes that the column's facts name."""
    from pigi.domain.privacy import ColumnFacts

    return [value.retention for value in column.info.values() if isinstance(value, ColumnFacts)]


@pytest.mark.parametrize("name", list(COLUMNS))
def test_every_column_names_one_class_that_has_a_period(name):
    (retention,) = classes(COLUMNS[name])
    assert retention in PERIODS


def test_every_class_is_used_by_a_place():
    assert {place.retention for place in inventory()} == set(Retention)


def test_the_tables_are_there_to_be_looked_at():
    assert {Job.__table__.name, Generation.__table__.name} <= {name.split(".")[0] for name in COLUMNS}
