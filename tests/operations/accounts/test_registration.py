"""Registering: an account takes the mailed link and the password, and nothing reveals whether an address is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from pigi.clock import now
from pigi.domain.access import Person
from pigi.errors import Refused
from pigi.operations.accounts import Change, change_account, confirm_registration, find_person, register, sign_in
from pigi.operations.accounts.registration import TABLE
from tests.support.accounts import (
    Clock,
    acts,
    cheap_hash,
    everything,
    mails_to,
    make_passwords_cheap,
    session_count,
    statements,
    the_account,
    welcome_tokens,
)
from tests.support.people import PASSWORD, make_account, make_registration

ADA, NAME, HOME = "ada@example.org", "Ada Lund", "203.0.113.9"
OTHER = "lantern quay 92 heron drift"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make_passwords_cheap(monkeypatch)


def asked(application, email=ADA, password=PASSWORD):
    register(application, NAME, email, password, HOME)
    return welcome_tokens(application, email)[-1]


def confirm(application, token, password=PASSWORD, network=HOME):
    return confirm_registration(application, token, password, network)


def code_of(call, *arguments, **others):
    with pytest.raises(Refused) as refusal:
        call(*arguments, **others)
    return refusal.value.code


def test_the_link_and_the_password_make_the_account_and_sign_in(application):
    signed_in = confirm(application, asked(application))
    person = find_person(application, signed_in.token)
    row = the_account(application, ADA)

    assert (signed_in.account.name, signed_in.account.email, signed_in.account.operator) == (NAME, ADA, False)
    assert (person.account_id, person.operator, row.id) == (row.id, False, row.id)
    assert [kind for kind, _, _ in acts(application)] == ["account.registered", "session.signed_in"]
    assert acts(application)[0][1:] == (f"account:{row.id}", f"account:{row.id}")


def test_until_then_there_is_no_account(application):
    asked(application)

    assert the_account(application, ADA) is None
    assert mails_to(application, ADA) == ["welcome"]
    assert code_of(sign_in, application, ADA, PASSWORD, HOME) == "wrong_credentials"


def test_the_link_alone_makes_nothing(application):
    token = asked(application)

    assert code_of(confirm, application, token, OTHER) == "wrong_credentials"
    assert the_account(application, ADA) is None
    assert confirm(application, token)


def test_a_link_works_once(application):
    token = asked(application)
    confirm(application, token)

    assert code_of(confirm, application, token) == "link_over"


@pytest.mark.parametrize("token", ["A" * 43, "", "x", "ä" * 43, "A" * 44])
def test_a_link_that_was_never_sent_is_over(application, token):
    assert code_of(confirm, application, token) == "link_over"


def test_a_link_is_over_after_a_day(application):
    token = asked(application)
    with application.control.begin() as session:
        session.execute(update(TABLE).values(expires_at=now()))

    assert code_of(confirm, application, token) == "link_over"


def test_who_registers_anothers_address_gets_nothing(application):
    """The attacker registers first, with a password that they know. The owner's own link and password win."""
    asked(application, password=OTHER)
    own = asked(application)
    first, second = welcome_tokens(application, ADA)
    assert second == own

    confirm(application, own)

    assert code_of(confirm, application, first, OTHER) == "link_over"
    assert code_of(sign_in, application, ADA, OTHER, HOME) == "wrong_credentials"
    assert sign_in(application, ADA, PASSWORD, HOME)


def test_an_address_that_got_an_account_meanwhile_ends_the_link(application):
    token = asked(application)
    make_account(application, email=ADA.upper())

    assert code_of(confirm, application, token) == "link_over"
    assert acts(application) == []


def test_confirming_twice_at_once_makes_one_account(application):
    tokens = [make_registration(application, ADA, cheap_hash()) for _ in range(2)]

    def outcome(token):
        try:
            return confirm_registration(application, token, PASSWORD, HOME).account.id
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(outcome, tokens * 2))

    assert sorted(found)[1:] == ["link_over"] * 3
    assert session_count(application, the_account(application, ADA).id) == 1


def test_a_request_does_the_same_for_a_known_and_an_unknown_address(application):
    make_account(application, email="known@example.org")
    found = []
    for email in ("known@example.org", "unknown@example.org"):
        with statements(application) as run:
            register(application, NAME, email, PASSWORD, HOME)
        found.append(run)

    assert found[0] == found[1]
    assert mails_to(application, "known@example.org") == mails_to(application, "unknown@example.org") == ["welcome"]
    assert not any("account." in statement for statement in found[0])


def test_an_address_gets_no_more_than_its_share_of_mail_and_the_response_is_the_same(application):
    for _ in range(7):
        register(application, NAME, ADA, PASSWORD, HOME)

    assert mails_to(application, ADA) == ["welcome"] * 5
    register(application, NAME, ADA, PASSWORD, "198.51.100.1")
    assert mails_to(application, ADA) == ["welcome"] * 6


def test_a_network_registers_only_so_many(application, monkeypatch):
    Clock(monkeypatch, now())
    for number in range(20):
        register(application, NAME, f"person-{number}@example.org", PASSWORD, HOME)

    assert code_of(register, application, NAME, ADA, PASSWORD, HOME) == "too_many_tries"
    assert mails_to(application, ADA) == []


def test_wrong_passwords_at_a_link_are_slowed(application):
    token = asked(application)
    found = [code_of(confirm, application, token, OTHER, f"198.51.100.{number}") for number in range(7)]

    assert found == ["wrong_credentials"] * 5 + ["too_many_tries"] * 2


@pytest.mark.parametrize("password", ["short", "password123!", "ada.lund.example", "Ada Lund 1985"])
def test_a_weak_password_is_refused_without_repeating_it(application, password):
    with pytest.raises(Refused) as refusal:
        register(application, NAME, "ada.lund@example.org", password, HOME)

    assert refusal.value.code == "password_weak"
    assert refusal.value.details["errors"][0]["pointer"] == "/password"
    assert password not in str(refusal.value.details)
    assert mails_to(application, "ada.lund@example.org") == []


def test_neither_passwords_nor_tokens_nor_stray_addresses_are_kept(application):
    token = asked(application)
    signed_in = confirm(application, token)
    person = Person(signed_in.account.id, find_person(application, signed_in.token).session_id)
    change = Change(email="new@example.org", new_password=OTHER, password=PASSWORD)
    change_account(application, person, change, HOME)
    kept = everything(application)

    for secret in (PASSWORD, OTHER, token, signed_in.token, HOME):
        assert [column for column, text in kept.items() if secret in text] == []
    assert {column for column, text in kept.items() if "@example.org" in text} == {
        "account.email", "account.email_key", "account_token.email", "account_token.email_key",
    }  # fmt: skip
    assert "heron" not in repr(change) + repr(signed_in)
