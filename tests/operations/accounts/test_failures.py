"""How many passwords and codes were wrong: told to the account's owner and the audit log, and of strangers nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.domain.retention import Retention
from pigi.errors import Refused
from pigi.operations.accounts import confirm_session, find_person, list_failures, sign_in
from pigi.operations.audit import list_entries, verify
from pigi.operations.retention import run_sweep
from pigi.store.ledgers import FailedSignIn
from pigi.store.people import Account
from tests.support.accounts import acts, cheap_hash, make_passwords_cheap
from tests.support.people import PASSWORD, code_of, make_account, make_session

ADA, HOME, WRONG = "ada@example.org", "203.0.113.9", "lantern quay 92 heron drift"
TABLE = FailedSignIn.__table__


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(application):
    return make_account(application, email=ADA, password_hash=cheap_hash())


def refused(code, call, *arguments):
    with pytest.raises(Refused) as refusal:
        call(*arguments)
    assert refusal.value.code == code


def rows(application):
    with application.control.read() as session:
        return [tuple(row) for row in session.execute(select(TABLE).order_by(TABLE.c.subject))]


def end_the_day(application, days=2):
    with application.control.begin() as session:
        session.execute(update(TABLE).values(day=now().date() - timedelta(days=days)))
    run_sweep(application, Retention.FAILED_SIGN_IN)


def told(application, account_id):
    person = find_person(application, make_session(application, account_id))
    return [(one.day, one.count) for one in list_failures(application, person)]


def test_what_is_looked_at_is_counted_and_what_is_refused_unseen_is_not(application, ada):
    for code in ["wrong_credentials"] * 5 + ["too_many_tries"] * 3:
        refused(code, sign_in, application, ADA, WRONG, HOME)
        refused(code, sign_in, application, "nobody@example.org", WRONG, HOME)
    sign_in(application, ADA, PASSWORD, "198.51.100.1")

    assert sorted(count for _subject, _day, count in rows(application)) == [5, 5]
    assert "nobody" not in str(rows(application))
    assert told(application, ada) == [(now().date(), 5)]


def test_wrong_codes_and_a_password_asked_for_again_are_counted_too(application):
    account_id = make_account(application, email=ADA, password_hash=cheap_hash(), factor=True)
    person = find_person(application, make_session(application, account_id))

    refused("second_factor_needed", sign_in, application, ADA, PASSWORD, HOME)
    refused("wrong_code", sign_in, application, ADA, PASSWORD, HOME, "", "12345")
    refused("wrong_password", confirm_session, application, person, WRONG, HOME)
    refused("wrong_code", confirm_session, application, person, None, HOME, None, "12345")
    confirm_session(application, person, PASSWORD, HOME, None, code_of())

    assert [count for _subject, _day, count in rows(application)] == [3]


def test_a_day_that_is_over_is_one_entry_and_nothing_of_strangers_stays(application, ada):
    for _ in range(3):
        refused("wrong_credentials", sign_in, application, ADA, WRONG, HOME)
    refused("wrong_credentials", sign_in, application, "nobody@example.org", WRONG, HOME)
    run_sweep(application, Retention.FAILED_SIGN_IN)
    assert (len(rows(application)), acts(application)) == (2, [])

    end_the_day(application)
    end_the_day(application)

    day = now().date() - timedelta(days=2)
    (entry,) = list_entries(application, None)
    assert (entry.kind, entry.actor, entry.subject) == ("session.failed", "pigi", f"account:{ada}")
    assert entry.details == {"count": 3, "day": day.isoformat()}
    assert entry.organisation_id is None
    assert rows(application) == []
    assert verify(application).ok
    refused("wrong_credentials", sign_in, application, ADA, WRONG, HOME)
    assert told(application, ada) == [(now().date(), 1), (day, 3)]


def test_others_are_told_nothing_and_an_account_that_goes_leaves_none(application, ada):
    refused("wrong_credentials", sign_in, application, ADA, WRONG, HOME)
    assert told(application, make_account(application)) == []

    with application.control.begin() as session:
        session.execute(delete(Account).where(Account.id == ada))
    end_the_day(application)

    assert (rows(application), acts(application)) == ([], [])
