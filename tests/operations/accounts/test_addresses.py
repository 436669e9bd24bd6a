"""Taking an account by its address: what a link alone does not do, and how its owner takes it back."""

from __future__ import annotations

from base64 import b32decode

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.retention import Retention, keep
from pigi.errors import Refused
from pigi.operations.accounts import (
    Change,
    change_account,
    confirm_address,
    find_person,
    read_account,
    reset_password,
    sign_in,
    undo_address,
)
from pigi.operations.accounts.addresses import UNDO
from pigi.operations.credentials import ADDRESS_UNDO
from pigi.operations.second_factors import begin_second_factor, confirm_second_factor
from tests.support.accounts import acts, address_tokens, cheap_hash, mails_to, reset_tokens, session_count
from tests.support.people import PASSWORD, code_of, give_factor, make_account, make_session

ADA, FIRST, SECOND, HOME = "ada@example.org", "first@example.net", "second@example.net", "203.0.113.9"
THEIRS = "quarry fog violet 18 anvil"


@pytest.fixture
def ada(application):
    return make_account(application, email=ADA, password_hash=cheap_hash())


def move(application, account, email, password=PASSWORD):
    """Change the address and confirm it in the same browser."""
    person = find_person(application, make_session(application, account))
    change_account(application, person, Change(email=email, password=password), HOME)
    confirm_address(application, address_tokens(application, email)[-1], person, HOME)


def ways_back(application):
    """The tokens of the links that were mailed to old addresses, the oldest first."""
    with application.control.read() as session:
        rows = session.scalars(select(UNDO.c.id).order_by(UNDO.c.created_at))
        return [application.keyring.token(ADDRESS_UNDO, row) for row in rows]


def refused(act, *arguments):
    with pytest.raises(Refused) as refusal:
        act(*arguments)
    return refusal.value.code


def test_a_second_factor_is_asked_for_where_the_password_stands_for_its_owner(application, ada):
    person = find_person(application, make_session(application, ada))
    change_account(application, person, Change(email=FIRST, password=PASSWORD), HOME)
    give_factor(application, ada)
    token = address_tokens(application, FIRST)[0]

    assert refused(confirm_address, application, token, None, HOME, PASSWORD) == "second_factor_needed"
    assert refused(confirm_address, application, token, None, HOME, PASSWORD, "000000") == "wrong_code"
    assert read_account(application, ada).email == ADA
    confirm_address(application, token, None, HOME, PASSWORD, code_of())
    assert read_account(application, ada).email == FIRST


def test_the_owner_takes_back_an_account_whose_address_password_and_factor_a_thief_changed(application, ada):
    move(application, ada, FIRST)
    (back,) = ways_back(application)
    thief = find_person(application, make_session(application, ada))
    change_account(application, thief, Change(new_password=THEIRS, password=PASSWORD), HOME)
    give_factor(application, ada)
    assert mails_to(application, ADA)[-1] == "address-undo"

    undo_address(application, back, HOME)

    account = read_account(application, ada)
    assert (account.email, account.second_factor) == (ADA, False)
    assert session_count(application, ada) == 0
    for password in (PASSWORD, THEIRS):
        assert refused(sign_in, application, ADA, password, HOME) == "wrong_credentials"
    assert mails_to(application, ADA)[-1] == "password-reset"
    reset_password(application, reset_tokens(application, ADA)[-1], "mellow harbour 63 thistle", HOME)
    assert sign_in(application, ADA, "mellow harbour 63 thistle", HOME)
    assert refused(undo_address, application, back, HOME) == "link_over"
    said = [act for act, *_who in acts(application)]
    assert {"account.address_change_asked", "account.address_changed", "account.address_undone"} <= set(said)


def test_a_factor_from_before_the_change_stays(application, ada):
    person = find_person(application, make_session(application, ada))
    change_account(application, person, Change(email=FIRST, password=PASSWORD), HOME)
    give_factor(application, ada)
    confirm_address(application, address_tokens(application, FIRST)[-1], person, HOME)

    undo_address(application, ways_back(application)[0], HOME)

    assert read_account(application, ada).second_factor


def test_a_factor_that_was_begun_before_the_change_and_turned_on_after_it_is_off(application, ada):
    thief = find_person(application, make_session(application, ada))
    secret = b32decode(begin_second_factor(application, thief).secret)
    move(application, ada, FIRST)
    thief = find_person(application, make_session(application, ada))
    confirm_second_factor(application, thief, code_of(secret=secret))

    undo_address(application, ways_back(application)[0], HOME)

    assert not read_account(application, ada).second_factor


def test_after_two_changes_the_first_address_still_comes_back_and_the_second_has_no_way_left(application, ada):
    move(application, ada, FIRST)
    move(application, ada, SECOND)
    first, second = ways_back(application)

    undo_address(application, first, HOME)

    assert read_account(application, ada).email == ADA
    assert refused(undo_address, application, second, HOME) == "link_over"


def test_the_address_in_between_comes_back_too_and_the_first_can_still(application, ada):
    move(application, ada, FIRST)
    move(application, ada, SECOND)
    first, second = ways_back(application)

    undo_address(application, second, HOME)
    assert read_account(application, ada).email == FIRST
    undo_address(application, first, HOME)
    assert read_account(application, ada).email == ADA


def test_the_way_back_ends_after_seven_days(application, ada):
    move(application, ada, FIRST)
    (back,) = ways_back(application)
    assert keep(Retention.ADDRESS_UNDO).days == 7
    with application.control.begin() as session:
        session.execute(update(UNDO).values(expires_at=now()))

    assert refused(undo_address, application, back, HOME) == "link_over"
    assert read_account(application, ada).email == FIRST


def test_an_address_that_has_another_account_by_now_is_said_and_the_link_stays(application, ada):
    move(application, ada, FIRST)
    (back,) = ways_back(application)
    make_account(application, email=ADA)

    assert refused(undo_address, application, back, HOME) == "address_in_use"
    assert read_account(application, ada).email == FIRST
    assert ways_back(application) == [back]
