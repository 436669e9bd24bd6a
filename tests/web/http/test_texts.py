"""The checks of texts and the patterns that the API document shows say the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pigi.domain.characters import unseen_in_name
from web.http.texts import (
    DESCRIPTION_PATTERN,
    NAME_PATTERN,
    PURPOSE_LENGTH,
    PURPOSE_PATTERN,
    VISIBLE_DESCRIPTION_PATTERN,
    VISIBLE_NAME_PATTERN,
    Description,
    Name,
    Purpose,
)

AWKWARD = "ab \t\n\r\v\f\x00\x1c\x7f\x85\xa0\u1680\u2003\u2028\u2029\u202f\u3000\u200b\ufeff\u00ad\u200e\U000e0001🐘"
TEXTS = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"])), max_size=90)


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
    for pattern, kind in ((VISIBLE_NAME_PATTERN, Name), (VISIBLE_DESCRIPTION_PATTERN, Description)):
        fits = bool(re.match(pattern.removesuffix("$") + r"\Z", text))
        assert (holds(TypeAdapter(kind), text) and not unseen_in_name(text)) == fits


@pytest.mark.parametrize(
    ("length", "fits"), [(0, False), (1, True), (PURPOSE_LENGTH, True), (PURPOSE_LENGTH + 1, False)]
)
def test_lengths_count_characters(length: int, *, fits: bool) -> None:
    assert holds(TypeAdapter(Purpose), "🐘" * length) is fits
    assert holds(TypeAdapter(Name), " " + "🐘" * min(length, 81) + " ") is (0 < min(length, 81) <= 80)
