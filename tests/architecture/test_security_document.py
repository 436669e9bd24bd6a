"""docs/security.md leaves out no requirement, names tests that exist, and counts right."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache

import pytest

from tests.support.sources import ROOT

DOCUMENT = ROOT / "docs" / "security.md"
STATES = ("met", "partly", "open")
# OWASP ASVS 5.0.0: the requirements of levels 1 and 2, as section:numbers.
ASKED = """
1.1:1-2 1.2:1-9 1.3:1-11 1.4:1-3 1.5:1-2 2.1:1-3 2.2:1-3 2.3:1-4 2.4:1 3.2:1-2 3.3:1-4 3.4:1-6 3.5:1-5 3.7:1-2 4.1:1-3
4.2:1 4.3:1-2 4.4:1-4 5.1:1 5.2:1-3 5.3:1-2 5.4:1-3 6.1:1-3 6.2:1-12 6.3:1-4 6.4:1-4 6.5:1-5 6.6:1-3 6.8:1-4 7.1:1-3
7.2:1-4 7.3:1-2 7.4:1-5 7.5:1-2 7.6:1-2 8.1:1-2 8.2:1-3 8.3:1 8.4:1 9.1:1-3 9.2:1-4 10.1:1-2 10.2:1-2 10.3:1-4
10.4:1-11 10.5:1-5 10.6:1-2 10.7:1-3 11.1:1-2 11.2:1-3 11.3:1-3 11.4:1-4 11.5:1 11.6:1 12.1:1-3 12.2:1-2 12.3:1-4
13.1:1 13.2:1-5 13.3:1-2 13.4:1-5 14.1:1-2 14.2:1-4 14.3:1-3 15.1:1-3 15.2:1-3 15.3:1-7 16.1:1 16.2:1-5 16.3:1-4
16.4:1-3 16.5:1-3 17.1:1 17.2:1-4 17.3:1-2
"""

Number = tuple[int, ...]


def number(text: str) -> Number:
    """A requirement's number, as it sorts."""
    return tuple(map(int, text.split(".")))


def asked() -> list[Number]:
    """Every requirement of the two levels."""
    found = []
    for entry in ASKED.split():
        section, numbers = entry.split(":")
        first, _, last = numbers.partition("-")
        found += [(*number(section), each) for each in range(int(first), int(last or first) + 1)]
    return found


@cache
def rows() -> list[tuple[Number, str, str, str]]:
    """The rows of the document: number, state, how, and what shows it."""
    found = re.findall(
        r"^\| ([0-9]+\.[0-9]+\.[0-9]+) \| [^|]+ \| (\w+) \| ([^|]+) \| ([^|]+) \|$", text(), re.MULTILINE
    )
    return [(number(one), state, how, shown) for one, state, how, shown in found]


@cache
def text() -> str:
    """The document."""
    return DOCUMENT.read_text()


def inapplicable() -> list[Number]:
    """What the document says does not apply: numbers, and sections as a whole, also as stretches."""
    found = []
    for passage in re.findall(r"^Not applicable: (.*?)(?:\n\n|\Z)", text(), re.MULTILINE | re.DOTALL):
        for first, last in re.findall(r"([0-9]+(?:\.[0-9]+)+)(?: to ([0-9]+(?:\.[0-9]+)+))?", passage):
            low, high = number(first), number(last or first)
            found += [one for one in asked() if low <= one[: len(low)] <= high]
    return found


def test_every_requirement_of_both_levels_is_there_once() -> None:
    told = [one for one, *_ in rows()] + inapplicable()

    assert {one: count for one, count in Counter(told).items() if count > 1} == {}
    assert sorted(told) == asked()


def test_every_row_has_a_state_and_what_is_not_met_says_why() -> None:
    assert {one: state for one, state, *_ in rows() if state not in STATES} == {}
    assert [one for one, state, how, _ in rows() if state != "met" and len(how) < 40] == []


@cache
def defined_in(path: str) -> frozenset[str]:
    """The tests of a file, by the names that their definitions have."""
    tree = ast.parse((ROOT / "tests" / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("chapter", sorted({one[0] for one, *_ in rows()}))
def test_every_test_that_is_named_exists(chapter: int) -> None:
    named = {name for one, *_, shown in rows() if one[0] == chapter for name in re.findall("`([^`]+)`", shown)}
    missing = [
        name
        for name in sorted(named)
        if not (ROOT / "tests" / name.partition("::")[0]).is_file()
        or name.partition("::")[2] not in defined_in(name.partition("::")[0])
    ]

    assert missing == []


def test_every_row_names_a_test_or_says_what_else_was_looked_at() -> None:
    assert [one for one, *_, shown in rows() if "::" not in shown and len(shown) < 20] == []


def test_the_counts_are_right() -> None:
    states = Counter((one[0], state) for one, state, *_ in rows())
    left_out = Counter(one[0] for one in inapplicable())
    chapters = sorted({one[0] for one in asked()})
    counted = [[chapter, *(states[chapter, state] for state in STATES), left_out[chapter]] for chapter in chapters]
    told = [list(map(int, row)) for row in re.findall(r"^\| V(\d+) \|" + r" (\d+) \|" * 4 + "$", text(), re.MULTILINE)]
    (whole,) = re.findall(
        r"\*\*Of (\d+) requirements, (\d+) apply: (\d+) are met, (\d+) partly, (\d+) open\.\*\*", text()
    )

    assert told == counted
    assert list(map(int, whole)) == [
        len(asked()),
        len(rows()),
        *(sum(states[chapter, state] for chapter in chapters) for state in STATES),
    ]
