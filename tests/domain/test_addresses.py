"""Which addresses are accepted and how they are kept, held to what the API document says of them."""

from __future__ import annotations

import re
import socket
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pigi.domain.addresses import (
    LONGEST,
    LONGEST_LOCAL,
    PATTERN,
    AddressError,
    ascii_domain,
    email_key,
    mailbox_key,
    read_address,
)

ATOMS = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20)
LABELS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?", fullmatch=True).filter(
    lambda label: label[2:4] != "--"
)
LOCALS = st.lists(ATOMS, min_size=1, max_size=3).map(".".join).filter(lambda local: len(local) <= LONGEST_LOCAL)
HOSTS = st.lists(LABELS, min_size=2, max_size=4).map(".".join)
DOMAINS = HOSTS.filter(lambda host: not host.rpartition(".")[2].isdigit())
OTHER_DOMAINS = st.text("aü-ß.。ｅéЖ中१ء", min_size=1, max_size=12).map(lambda start: f"{start}.org")
ANYTHING = st.text(st.one_of(st.sampled_from('ab1@.-_ \t\r\n"<>,;:\\()[]\0é\u2028'), st.characters()), max_size=40)
DOCUMENTED = re.compile(PATTERN.removesuffix("$") + r"\Z")


def accepted(text: str) -> bool:
    with suppress(AddressError):
        return bool(read_address(text))
    return False


@given(LOCALS, DOMAINS)
def test_a_dot_atom_at_a_host_is_kept_with_its_domain_in_lower_case(local: str, domain: str) -> None:
    kept = read_address(f"{local}@{domain}")

    assert kept.lower() == f"{local}@{domain}".lower()
    assert kept.endswith(f"@{domain.lower()}")
    assert read_address(kept) == kept


@given(st.one_of(ANYTHING, OTHER_DOMAINS.map("x@{}".format)))
def test_nothing_that_a_header_could_be_made_of_is_kept(text: str) -> None:
    with suppress(AddressError):
        kept = read_address(text)
        assert kept.isascii()
        assert kept.isprintable()
        assert not set(kept) & set(' "<>,;:\\()[]')
        assert kept.count("@") == 1
        assert len(kept) <= LONGEST


@given(
    st.one_of(
        ANYTHING,
        st.tuples(LOCALS, HOSTS).map("@".join),
        st.tuples(LOCALS, OTHER_DOMAINS).map("@".join),
        st.from_regex(r"[ab.-]+@[a1.-]+", fullmatch=True),
    )
)
def test_the_document_s_pattern_refuses_nothing_that_is_accepted(text: str) -> None:
    text = text.strip()
    if accepted(text):
        assert DOCUMENTED.match(text)
    elif text.isascii() and "--" not in text:
        assert not DOCUMENTED.match(text) or len(text) > LONGEST or text.find("@") > LONGEST_LOCAL


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" bob@example.org ", "bob@example.org"),
        ("bob@example.org\r\n", "bob@example.org"),
        ("Bob@EXAMPLE.org", "Bob@example.org"),
        ("x@müller.de", "x@xn--mller-kva.de"),
        ("x@MU\u0308LLER.de", "x@xn--mller-kva.de"),
        ("x@xn--MLLER-kva.de", "x@xn--mller-kva.de"),
        ("x@straße.de", "x@xn--strae-oqa.de"),
        ("x@例え。jp", "x@xn--r8jz45g.jp"),
        ("o'neil+tag@mail.example.org", "o'neil+tag@mail.example.org"),
        (f"{'x' * 64}@example.org", f"{'x' * 64}@example.org"),
        (f"a@{'b' * 63}.org", f"a@{'b' * 63}.org"),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 10}", f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 10}"),
        ("a@mail.localhost", "a@mail.localhost"),
        ("a@office.local", "a@office.local"),
        ("a@example.test", "a@example.test"),
    ],
)
def test_an_address_is_kept_in_one_form(text: str, kept: str) -> None:
    assert read_address(text) == kept


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{'x' * 65}@example.org", "Before the @ there may be 64 characters"),
        (f"a@{'b' * 64}.org", "a host name with a dot"),
        (f"{'a' * 60}@{'.'.join(['b' * 60] * 3)}.{'c' * 11}", "may have 254 characters"),
        (f"a@{'ü' * 62}.de", "a host name with a dot"),
        ("a@example", "a host name with a dot"),
        ("a@192.0.2.1", "a host name with a dot"),
        ("a@[192.0.2.1]", "a host name with a dot"),
        ("a@xn--a.de", "a host name with a dot"),
        ('"a b"@example.org', "holds a space"),
        ('"ab"@example.org', "single dots between them"),
        ("a..b@example.org", "single dots between them"),
        ("mailto:a@example.org", "single dots between them"),
        ("ä@example.org", "letters from a to z"),
        ("a@exam ple.org", "holds a space"),
        ("a@b@example.org", "more than one @"),
        ("a@example.org, b@example.org", "more than one @"),
        ("a@", "On both sides"),
        ("a@example.org\r\nBcc: b@example.org", "a line break"),
        ("a\u200b@example.org", "cannot be seen"),
        ("Bob <a@example.org>", "angle brackets"),
        ("nobody", "lacks the @"),
        ("", "lacks the @"),
    ],
)
def test_what_is_refused_is_told_why(text: str, words: str) -> None:
    with pytest.raises(AddressError, match=re.escape(words)):
        read_address(text)


def test_no_name_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    for name in ("socket", "getaddrinfo", "create_connection"):
        monkeypatch.setattr(socket, name, lambda *words, **_more: asked.append(words))

    assert read_address("x@müller.de")
    assert asked == []


@given(LOCALS, DOMAINS)
def test_capitals_and_outer_space_make_no_other_address(local: str, domain: str) -> None:
    key = email_key(f"{local}@{domain}")

    assert key == email_key(f" {local.upper()}@{domain.swapcase()}\n") == email_key(key)


@given(LOCALS, HOSTS)
def test_addresses_that_were_kept_in_ascii_are_found_by_the_key_that_they_had(local: str, domain: str) -> None:
    assert email_key(f"{local}@{domain}") == f"{local}@{domain}".lower()


@given(LOCALS, OTHER_DOMAINS)
def test_all_forms_of_a_domain_have_one_key(local: str, domain: str) -> None:
    assume(accepted(f"{local}@{domain}"))
    key = email_key(f"{local}@{domain}")

    assert key == email_key(f"{local}@{ascii_domain(domain)}") == email_key(key)


@pytest.mark.parametrize("text", ["a@example", "é@EXAMPLE.org", "ab--cd", " X@AB--CD.org", "x@xn--zz-zz.de", ""])
def test_what_is_no_address_has_a_key_all_the_same(text: str) -> None:
    assert email_key(email_key(text)) == email_key(text) == text.strip().lower()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Ada+news@Example.org", "ada@example.org"),
        ("a.d.a@example.org", "a.d.a@example.org"),
        ("A.d.a+1@gmail.com", "ada@gmail.com"),
        ("ada@googlemail.com", "ada@gmail.com"),
        ("+ada@example.org", "+ada@example.org"),
    ],
)
def test_what_a_host_is_known_to_take_for_one_mailbox_is_counted_as_one(text: str, key: str) -> None:
    assert mailbox_key(text) == key
