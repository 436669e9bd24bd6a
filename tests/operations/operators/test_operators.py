"""Operators: accounts apart, that belong to nothing, and whose sessions end when they are disabled."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from pigi.domain.access import Action
from pigi.errors import Refused
from pigi.operations.access import authorise
from pigi.operations.accounts import find_person, sign_in
from pigi.operations.operators import add_operator, disable_operator, list_operators
from pigi.store.ledgers import AuditContent, AuditEntry
from pigi.store.people import Account
from tests.support.jobs import register_organisation
from tests.support.people import make_account, make_session

ADDRESS = "op@example.com"
PASSWORD = "lantern orbit meadow 41"


@pytest.fixture
def operator(application):
    return add_operator(application, ADDRESS, "Opal", PASSWORD)


def refusal_of(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def test_an_operator_signs_in_and_belongs_to_nothing(application, operator, control):
    token = sign_in(application, ADDRESS, PASSWORD, "192.0.2.1").token
    person = find_person(application, token)
    assert (person.account_id, person.operator, person.name) == (operator, True, f"operator:{operator}")
    own = register_organisation(control)
    assert refusal_of(lambda: authorise(application, person, own, Action.ORGANISATION_READ)) == "not_found"
    assert [(view.id, view.name, view.email, view.state) for view in list_operators(application)] == [
        (operator, "Opal", ADDRESS, "active")
    ]


def test_the_password_is_kept_as_a_hash_alone(application, operator):
    with application.control.read() as session:
        kept = session.scalar(select(Account.password_hash))
    assert kept.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("email", "name", "password", "code"),
    [
        ("nobody", "Opal", PASSWORD, "invalid_address"),
        (ADDRESS, " ", PASSWORD, "invalid_name"),
        (ADDRESS, "Opal", "password1234", "password_weak"),
        (ADDRESS, "Opal", "", "password_weak"),
    ],
)
def test_what_cannot_be_used_is_refused(application, email, name, password, code):
    assert refusal_of(lambda: add_operator(application, email, name, password)) == code
    assert list_operators(application) == []


def test_an_address_has_one_account_of_either_sort(application, operator):
    make_account(application, email="person@example.com")
    for taken in (ADDRESS.upper(), "Person@example.com"):
        assert refusal_of(lambda: add_operator(application, taken, "Opal", PASSWORD)) == "address_taken"  # noqa: B023 - at once


def test_a_disabled_operator_is_out_at_once(application, operator):
    token = make_session(application, operator)
    for _ in range(2):
        assert disable_operator(application, ADDRESS.upper()) == operator
    assert refusal_of(lambda: find_person(application, token)) == "unauthenticated"
    assert refusal_of(lambda: sign_in(application, ADDRESS, PASSWORD, "192.0.2.1")) == "wrong_credentials"
    assert list_operators(application)[0].state == "disabled"


def test_people_are_not_disabled_so(application):
    make_account(application, email="person@example.com")
    assert refusal_of(lambda: disable_operator(application, "person@example.com")) == "not_found"


def test_every_act_is_in_the_audit_chain(application, operator):
    disable_operator(application, ADDRESS)
    query = select(AuditEntry.kind, AuditContent.actor, AuditContent.subject).join(
        AuditContent, AuditContent.seq == AuditEntry.seq
    )
    with application.control.read() as session:
        found = {tuple(row) for row in session.execute(query)}
    subject = f"operator:{operator}"
    assert {("operator.added", "operator:cli", subject), ("operator.disabled", "operator:cli", subject)} <= found
