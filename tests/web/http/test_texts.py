"""The checks of texts and the patterns that the API document shows say the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pigi.domain.characters import unseen_in_name
from pigi.domain.names import is_name
from pigi.domain.resources import RESOURCES
from web.http.texts import (
    DESCRIPTION_PATTERN,
    NAME_PATTERN,
    PURPOSE_LENGTH,
    PURPOSE_PATTERN,
    VISIBLE_DESCRIPTION_PATTERN,
    Description,
    Name,
    Purpose,
    Title,
)

AWKWARD = "ab \t\n\r\v\f\x00\x1c\x7f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000\u200b\ufeff\u00ad\u200e\U000e0001🐘"
TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"])), max_size=130)


def holds(adapter: TypeAdapter[str], text: str) -> bool:
    """Whether the check takes the text."""
    try:
        adapter.validate_python(text, strict=True)
    except ValidationError:
        return False
    return True


@given(TEXTS)
def test_names(text: str) -> None:
    assert holds(TypeAdapter(Name), text) == bool(re.match(NAME_PATTERN.removesuffix("$") + r"\Z", text))


@given(TEXTS)
def test_purposes(text: str) -> None:
    assert holds(TypeAdapter(Purpose), text) == bool(re.match(PURPOSE_PATTERN.removesuffix("$") + r"\Z", text))


@given(TEXTS)
def test_descriptions(text: str) -> None:
    fits = bool(re.match(DESCRIPTION_PATTERN.removesuffix("$") + r"\Z", text))
    assert holds(TypeAdapter(Description), text) == fits


@given(TEXTS)
def test_words_of_projects_hide_nothing(text: str) -> None:
    fits = bool(re.match(VISIBLE_DESCRIPTION_PATTERN.removesuffix("$") + r"\Z", text))
    assert (holds(TypeAdapter(Description), text) and not unseen_in_name(text)) == fits


@pytest.mark.parametrize(
    ("length", "fits"), [(0, False), (1, True), (PURPOSE_LENGTH, True), (PURPOSE_LENGTH + 1, False)]
)
def test_lengths_count_characters(length: int, *, fits: bool) -> None:
    assert holds(TypeAdapter(Purpose), "🐘" * length) is fits
    assert holds(TypeAdapter(Name), " " + "🐘" * min(length, 121) + " ") is (0 < min(length, 121) <= 120)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("\u05d0\u05d1\u200fabc", True),
        ("\u0645\u06cc\u200c\u0646", True),
        ("🐘\u200d🚀", True),
        (" \u200f\u200d ", False),
        ("a\u202eb", False),
        ("a\u200bb", False),
        ("a\nb", False),
    ],
)
def test_one_rule_holds_for_names_of_all_sorts(name: str, *, fits: bool) -> None:
    title = {"title": name, "body": "b"}
    assert is_name(name.strip()) is fits
    assert [holds(TypeAdapter(kind), name) for kind in (Name, Title)] == [fits, fits]
    try:
        RESOURCES["document"].model.model_validate(title)
    except ValidationError:
        assert not fits
    else:
        assert fits
