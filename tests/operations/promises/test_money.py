"""What passes for a card's number, and what must not: else anybody who registers could turn the line red (P02)."""

from __future__ import annotations

import pytest

from pigi.operations.promises.controls.money import has_card_number


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
