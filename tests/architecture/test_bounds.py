"""Whatever an organisation can add rows to has a bound, and the decision record names it."""

from __future__ import annotations

import re
from pathlib import Path

from pigi.domain.audit import KINDS, MOST_A_DAY
from pigi.store.schema import ControlBase, TenantBase

(RECORD,) = (Path(__file__).parents[2] / "docs/decisions").glob("*-storage-is-counted-with-each-write.md")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_every_table_that_an_organisation_can_add_to_has_a_bound_by_name():
    own = {
        table.name
        for table in ControlBase.metadata.tables.values()
        if {"organisation_id", "organisations"} & set(table.columns.keys())
    }
    rows = ROW.findall(RECORD.read_text())
    assert [name for name, _, _ in rows] == list(dict.fromkeys(name for name, _, _ in rows))
    assert {name for name, _, _ in rows} == own | set(TenantBase.metadata.tables)
    assert all(bound.strip() for _, _, bound in rows)


def test_acts_that_are_bounded_by_the_day_are_acts():
    assert MOST_A_DAY.keys() <= KINDS.keys()
