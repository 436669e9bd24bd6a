"""Entity tags: reading lists of them, and comparing strongly and weakly (RFC 9110, sections 8.8.3 and 13.1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pigi.domain.preconditions import Tags, read_tags, tag_of

LISTS = [
    ('"3"', True, True),
    ("*", True, True),
    (" * ", True, True),
    ('"1", "3"', True, True),
    ('"1","3" ,\t"4"', True, True),
    (', "3",,', True, True),
    ('W/"3"', False, True),
    ('W/"3", "2"', False, True),
    ('"a,b", "3"', True, True),
    ('"03"', False, False),
    ('"3-archived"', False, False),
    ('w/"3"', False, False),
    ("3", False, False),
    ("'3'", False, False),
    ('"3', False, False),
    ('"3" "4"', False, False),
    ('"3", *', False, False),
    ("", False, False),
    (",", False, False),
    ('"3"' + ", " * 4000, False, False),
]


@pytest.mark.parametrize(("header", "strongly", "weakly"), LISTS)
def test_a_list_of_tags_matches_as_the_standard_says(header: str, strongly: bool, weakly: bool) -> None:
    tags = read_tags(header)
    assert tags is not None
    assert (tags.match_strongly('"3"'), tags.match_weakly('"3"')) == (strongly, weakly)


def test_no_header_is_no_condition() -> None:
    assert read_tags(None) is None


def test_a_tag_names_the_revision_and_the_state() -> None:
    assert (tag_of(3), tag_of(3, "archived")) == ('"3"', '"3-archived"')


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    assert isinstance(read_tags(header), Tags)
