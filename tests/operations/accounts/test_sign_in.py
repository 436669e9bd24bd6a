"""Signing in and out: sessions that nobody planted and nobody can use afterwards."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from argon2 import extract_parameters
from sqlalchemy import update

from pigi.errors import Refused
from pigi.operations.accounts import ACCOUNT, find_person, sign_in, sign_out, sign_out_everywhere
from pigi.operations.credentials import passwords
from tests.support.accounts import acts, cheap_hash, make_passwords_cheap, session_count, statements
from tests.support.people import NO_PASSWORD, PASSWORD, code_of, make_account, make_session

ADA, HOME = "ada@example.org", "203.0.113.9"
WRONG = "lantern quay 92 heron drift"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(application):
    return make_account(application, email=ADA, password_hash=cheap_hash())


def refusal_of(call, *arguments):
    with pytest.raises(Refused) as refusal:
        call(*arguments)
    return refusal.value.code


def test_the_right_password_opens_a_session(application, ada):
    signed_in = sign_in(application, " Ada@Example.ORG", PASSWORD, HOME)

    assert find_person(application, signed_in.token).account_id == ada == signed_in.account.id
    assert [(kind, actor) for kind, actor, _ in acts(application)] == [("session.signed_in", f"account:{ada}")]


def test_an_operator_is_one_when_signed_in(application):
    make_account(application, email=ADA, password_hash=cheap_hash(), operator=True)
    signed_in = sign_in(application, ADA, PASSWORD, HOME, code=code_of())

    assert find_person(application, signed_in.token).operator
    assert acts(application)[0][1].startswith("operator:")


@pytest.mark.parametrize("case", ["wrong", "unknown", "disabled", "without"])
def test_all_that_is_wrong_is_refused_alike_and_after_one_hash(application, case, monkeypatch):
    """The decoy of an unknown address costs what a real hash costs: it has the same parameters."""
    state, kept = ("disabled" if case == "disabled" else "active"), (NO_PASSWORD if case == "without" else cheap_hash())
    if case != "unknown":
        make_account(application, email=ADA, password_hash=kept, state=state)
    compared = []
    verify = passwords._HASHER.verify
    monkeypatch.setattr(
        passwords, "_HASHER", type("Noting", (), {"verify": lambda _self, *of: compared.append(of[0]) or verify(*of)})()
    )

    assert refusal_of(sign_in, application, ADA, WRONG, HOME) == "wrong_credentials"
    costs = [extract_parameters(one) for one in compared if one != NO_PASSWORD]
    assert costs == [passwords.PARAMETERS]
    assert acts(application) == []


def test_the_databases_are_asked_the_same_for_a_known_and_an_unknown_address(application, ada):
    found = []
    for email in (ADA, "unknown@example.org"):
        with statements(application) as run:
            refusal_of(sign_in, application, email, WRONG, HOME)
        found.append(run)

    assert found[0] == found[1]


def test_wrong_passwords_are_slowed_alike_for_known_and_unknown_addresses(application, ada):
    found = {
        email: [refusal_of(sign_in, application, email, WRONG, HOME) for _ in range(6)]
        for email in (ADA, "unknown@example.org")
    }

    assert found[ADA] == found["unknown@example.org"] == ["wrong_credentials"] * 5 + ["too_many_tries"]
    assert refusal_of(sign_in, application, ADA, PASSWORD, HOME) == "too_many_tries"
    assert sign_in(application, ADA, PASSWORD, "198.51.100.1")


def test_right_passwords_never_run_out(application, ada):
    for _ in range(8):
        assert sign_in(application, ADA, PASSWORD, HOME)


def test_a_session_is_always_new_and_replaces_the_browser_s(application, ada):
    planted = make_session(application, make_account(application))
    first = sign_in(application, ADA, PASSWORD, HOME, planted).token
    second = sign_in(application, ADA, PASSWORD, HOME, first).token

    assert len({planted, first, second}) == 3
    for over in (planted, first):
        assert refusal_of(find_person, application, over) == "unauthenticated"
    assert session_count(application, ada) == 1


def test_a_copied_cookie_is_worthless_after_signing_out(application, ada):
    token, elsewhere = (sign_in(application, ADA, PASSWORD, HOME).token for _ in range(2))

    sign_out(application, find_person(application, token), token)

    assert refusal_of(find_person, application, token) == "unauthenticated"
    assert find_person(application, elsewhere)
    assert acts(application)[-1][0] == "session.signed_out"


def test_signing_out_everywhere_ends_all_of_ones_own_sessions(application, ada):
    tokens = [sign_in(application, ADA, PASSWORD, HOME).token for _ in range(3)]
    another = make_session(application, make_account(application))

    sign_out_everywhere(application, find_person(application, tokens[0]))

    assert {refusal_of(find_person, application, token) for token in tokens} == {"unauthenticated"}
    assert find_person(application, another)
    assert acts(application)[-1][0] == "session.signed_out_everywhere"


def test_a_password_changed_while_it_was_compared_opens_nothing(application, ada, monkeypatch):
    compare = passwords.is_password

    def slowly(password, kept):
        right = compare(password, kept)
        with application.control.begin() as session:
            session.execute(update(ACCOUNT).values(password_hash=cheap_hash(WRONG)))
        return right

    monkeypatch.setattr("pigi.operations.credentials.is_password", slowly)

    assert refusal_of(sign_in, application, ADA, PASSWORD, HOME) == "wrong_credentials"
    assert session_count(application, ada) == 0


def test_a_flood_is_turned_away_before_it_costs_anything(application, ada):
    with ExitStack() as flood:
        for number in range(passwords.SLOTS):
            flood.enter_context(passwords.hashing_slot(f"198.51.100.{number}"))
        assert refusal_of(sign_in, application, ADA, PASSWORD, HOME) == "unavailable"

    assert sign_in(application, ADA, PASSWORD, HOME)
