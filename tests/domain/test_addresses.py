"""Which addresses are taken, held to what the API document says of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pigi.domain.addresses import LONGEST, LONGEST_LOCAL, PATTERN, email_key, is_address

ATOMS = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
LABELS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True)
LOCALS = st.lists(ATOMS, min_size=1, max_size=3).map(".".join)
DOMAINS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
ANYTHING = st.text(st.one_of(st.sampled_from('ab1@.-_ \t\r\n"<>,;:\\()[]\0é\u2028'), st.characters()), max_size=40)


@given(LOCALS, DOMAINS)
def test_a_dot_atom_at_a_host_is_an_address(local: str, domain: str) -> None:
    assume(len(local) <= LONGEST_LOCAL and not domain.rpartition(".")[2].isdigit())

    assert is_address(f"{local}@{domain}")


@given(ANYTHING)
def test_nothing_that_a_header_could_be_made_of_is_one(text: str) -> None:
    if is_address(text):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(' "<>,;:\\()[]')
        assert text.count("@") == 1


@given(st.one_of(ANYTHING, st.tuples(LOCALS, DOMAINS).map("@".join), st.from_regex(r"[ab.-]+@[a1.-]+", fullmatch=True)))
def test_the_document_s_pattern_says_the_same(text: str) -> None:
    assume(len(text) <= LONGEST and text.find("@") <= LONGEST_LOCAL)

    assert bool(re.match(PATTERN.removesuffix("$") + r"\Z", text)) == is_address(text)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (f"{'x' * 64}@example.org", True),
        (f"{'x' * 65}@example.org", False),
        (f"a@{'b' * 63}.org", True),
        (f"a@{'b' * 64}.org", False),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 10}", True),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 11}", False),
        ("o'neil+tag@mail.example.org", True),
        ("a@example", False),
        ("a@192.0.2.1", False),
        ("a@[192.0.2.1]", False),
        ('"a b"@example.org', False),
        ("a..b@example.org", False),
        ("ä@example.org", False),
        ("a@example.org\n", False),
        ("a@example.org\r\nBcc: b@example.org", False),
        ("a@b@example.org", False),
        ("", False),
    ],
)
def test_the_borders(text: str, fits: bool) -> None:
    assert is_address(text) is fits


@given(LOCALS, DOMAINS)
def test_capitals_and_outer_space_make_no_other_address(local: str, domain: str) -> None:
    key = email_key(f"{local}@{domain}")

    assert key == email_key(f" {local.upper()}@{domain.swapcase()}\n") == email_key(key)


@given(st.text(max_size=30))
def test_the_form_of_comparison_is_stable(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text)
