"""Every route, asked by every sort of caller: the answers are those of one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.access.asks import ASKS, ask_of
from tests.access.callers import CALLERS
from tests.access.conftest import outcome
from tests.access.table import read

if TYPE_CHECKING:
    from tests.access.conftest import Installation
    from tests.access.table import Row

ROWS = read()


def test_the_table_has_each_route_and_no_other(installation: Installation) -> None:
    routes = {
        f"{method} {rule.rule}"
        for rule in installation.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {row.route for row in ROWS} == routes


def test_each_row_is_there_once_and_each_request_is_of_a_row() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    assert set(ASKS) <= set(names)


def test_the_table_knows_each_sort_of_caller() -> None:
    assert list(ROWS[0].outcomes) == list(CALLERS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_caller_is_answered_as_the_table_says(installation: Installation, row: Row) -> None:
    found = {}
    for name, make in CALLERS.items():
        caller = make(installation.app, installation.home, installation.away)
        asked = ask_of(row.name)(installation.home, caller)
        with installation.ask(caller, row.method, row.path, asked) as answer:
            found[name] = outcome(answer, asked)
    assert found == row.outcomes
