"""What passes for a card's number, and is refused where people write: else who registers could turn P02 red."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from pigi.domain.cards import has_card_number
from web.http.texts import Title, Told


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("4111 1111 1111 1111", True),
        ("It is 4111111111111111.", True),
        ("card: 4111111111111111, thanks", True),
        ("4111111111111112", False),
        ("cus_4111111111111111", False),
        ("4111111111111111@example.org", False),
    ],
)
def test_digits_are_a_card_only_if_they_check_and_stand_alone(text, found):
    assert has_card_number(text) is found


@pytest.mark.parametrize("kind", [Title, Told])
def test_a_card_is_refused_where_people_write(kind):
    with pytest.raises(ValidationError, match="card's number"):
        TypeAdapter(kind).validate_python("4111 1111 1111 1111")
    assert TypeAdapter(kind).validate_python("Team 4111") == "Team 4111"
