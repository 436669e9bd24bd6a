"""Hashing as it is done in earnest: parameters, renewal, and what stands in for an account that is not there."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from pigi.errors import Refused
from pigi.operations.accounts import sign_in
from pigi.operations.credentials import passwords
from tests.support.accounts import the_account
from tests.support.people import NO_PASSWORD, PASSWORD, make_account

pytestmark = pytest.mark.parametrize("engine_kind", ["sqlite"], indirect=True)
ADA, HOME = "ada@example.org", "203.0.113.9"


def test_the_parameters_are_those_of_rfc_9106(engine_kind):
    """Section 4, the second recommended option."""
    made = extract_parameters(passwords.hash_password(PASSWORD))

    assert (made.type, made.version) == (Type.ID, 19)
    assert (made.time_cost, made.memory_cost, made.parallelism) == (3, 64 * 1024, 4)
    assert (made.salt_len, made.hash_len) == (16, 32)


def test_no_two_hashes_of_a_password_are_alike(engine_kind):
    assert passwords.hash_password(PASSWORD) != passwords.hash_password(PASSWORD)


@pytest.mark.parametrize("kept", [None, "", NO_PASSWORD, "$argon2id$v=19$m=65536"])
def test_what_is_no_hash_has_no_password(engine_kind, kept):
    assert not passwords.is_password(PASSWORD, kept)


def test_the_decoy_costs_what_a_hash_costs(engine_kind):
    assert extract_parameters(passwords._decoy()) == passwords.PARAMETERS
    assert passwords._decoy() != passwords._decoy()


def test_a_hash_of_yesterday_s_parameters_is_renewed(application):
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    make_account(application, email=ADA, password_hash=old)

    sign_in(application, ADA, PASSWORD, HOME)

    renewed = the_account(application, ADA).password_hash
    assert extract_parameters(renewed) == passwords.PARAMETERS
    assert sign_in(application, ADA, PASSWORD, HOME)
    assert the_account(application, ADA).password_hash == renewed


def test_a_password_is_the_same_on_every_keyboard(application):
    make_account(application, email=ADA, password_hash=passwords.hash_password("zebra lämp river é"))

    assert sign_in(application, ADA, "zebra la\u0308mp\u00a0river e\u0301", HOME)
    with pytest.raises(Refused):
        sign_in(application, ADA, "Zebra lämp river é", HOME)
