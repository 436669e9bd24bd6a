"""Content of an earlier day, as today's pages show it."""

from __future__ import annotations

import pytest

from pigi.domain.resources import RESOURCES, with_defaults
from tests.support.contents import CONTENTS


@pytest.mark.parametrize("kind", list(RESOURCES))
def test_fields_that_came_later_have_their_defaults(kind: str) -> None:
    fields = RESOURCES[kind].model.model_fields
    old = {name: value for name, value in CONTENTS[kind].items() if fields[name].is_required()}
    assert set(with_defaults(kind, old)) == set(fields)


def test_what_breaks_a_later_rule_is_shown_as_it_was() -> None:
    shown = with_defaults("agent", {"name": "", "description": "", "instructions": 7})
    assert (shown["name"], shown["instructions"], shown["extensions"]) == ("", 7, {})
