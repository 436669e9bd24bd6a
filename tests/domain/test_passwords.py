"""Which passwords may be chosen, and that they are the same however a keyboard spells them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zxcvbn import matching

from pigi.domain.passwords import (
    COMMON,
    LONGEST,
    PERSONAL,
    SHORTEST,
    TOO_LONG,
    TOO_SHORT,
    UNTYPEABLE,
    flaw_of,
    normalise,
)

NAME, EMAIL = "Jane Doe-Ödmark", "jane.doe@harbour.example"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "heron quay lantern 47 drift",
        "xK9#mQ2$vL",
        "a9f3comk2m",
        "zebra lamp river",
        "лодка фонарь утро",
        "灯笼码头苍鹭漂流清晨雨伞",
        "🐘🦩🪁🧭🪵🐙🦔🥨🎈🪐",
        " lantern drift heron ",
    ],
)
def test_whatever_is_hard_to_guess_may_be_chosen(password: str) -> None:
    assert flaw_of(password, NAME, EMAIL) is None


@pytest.mark.parametrize(
    ("password", "flaw"),
    [
        ("xK9#mQ2$v", TOO_SHORT),
        ("", TOO_SHORT),
        ("e\u0301" * 9, TOO_SHORT),
        ("lamp " * 60, TOO_LONG),
        ("password123!", COMMON),
        ("qwertyuiop", COMMON),
        ("1234567890", COMMON),
        ("P4$$w0rd1234", COMMON),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", COMMON),
        ("letmein letmein", COMMON),
        ("manchester", COMMON),
        ("Sunshine2024", COMMON),
        ("jane.doe@harbour.example", PERSONAL),
        ("janedoe1985", PERSONAL),
        ("Harbour 2026!", PERSONAL),
        ("ödmark-1985", PERSONAL),
        ("pigi2026pigi", PERSONAL),
        ("PigiPigiPigi", PERSONAL),
    ],
)
def test_whatever_is_easy_to_guess_may_not(password: str, flaw: str) -> None:
    assert flaw_of(password, NAME, EMAIL) == flaw


def test_what_cannot_be_typed_is_refused_by_its_own_words() -> None:
    assert flaw_of("heron quay\u0000lantern", NAME, EMAIL) == UNTYPEABLE


@pytest.mark.parametrize(("length", "flaw"), [(SHORTEST, None), (LONGEST, None), (LONGEST + 1, TOO_LONG)])
def test_the_borders_of_length_count_characters(length: int, flaw: str | None) -> None:
    assert flaw_of(("xK9ö#mQ2🐘vLt4" * 30)[:length], NAME, EMAIL) == flaw


@given(st.text(max_size=60))
def test_however_accents_are_composed_it_is_one_password(text: str) -> None:
    assert normalise(unicodedata.normalize("NFD", text)) == normalise(text) == normalise(normalise(text))


def test_all_spaces_are_alike_and_none_is_dropped() -> None:
    assert normalise(" a\u00a0b\u3000") == " a b "


@given(st.text(max_size=60), st.text(max_size=20), st.emails())
def test_no_refusal_repeats_what_was_typed(password: str, name: str, email: str) -> None:
    """Whatever is typed, the answer is one of a few fixed sentences."""
    assert flaw_of(password, name, email) in {None, TOO_SHORT, TOO_LONG, UNTYPEABLE, COMMON, PERSONAL}


def test_nobody_s_words_stay_in_the_library() -> None:
    flaw_of("heron quay lantern drift", "Zebedee Quillfeather", "zebedee@example.org")

    assert "zebedee" not in str(matching.RANKED_DICTIONARIES.get("user_inputs", ""))
