"""Forgotten passwords: links that help their owner alone, and that nobody can take away by asking for more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.errors import Refused
from pigi.operations.accounts import ACCOUNT, request_reset, reset_password, sign_in
from pigi.operations.accounts.changes import TOKEN
from pigi.operations.credentials import token_hash
from tests.support.accounts import (
    Clock,
    acts,
    cheap_hash,
    mails_to,
    make_passwords_cheap,
    reset_tokens,
    session_count,
    statements,
)
from tests.support.people import PASSWORD, make_account, make_session

ADA, HOME = "ada@example.org", "203.0.113.9"
NEW = "lantern quay 92 heron drift"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(application):
    return make_account(application, email=ADA, password_hash=cheap_hash())


def asked(application, email=ADA, network=HOME):
    request_reset(application, email, network)
    return reset_tokens(application, email)[-1]


def code_of(call, *arguments):
    with pytest.raises(Refused) as refusal:
        call(*arguments)
    return refusal.value.code


def test_the_link_sets_a_password_ends_all_sessions_and_notifies_the_owner(application, ada):
    make_session(application, ada)
    reset_password(application, asked(application), NEW, HOME)

    assert session_count(application, ada) == 0
    assert code_of(sign_in, application, ADA, PASSWORD, HOME) == "wrong_credentials"
    assert sign_in(application, ADA, NEW, HOME).account.id == ada
    assert mails_to(application, ADA) == ["password-reset", "password-changed"]
    assert [kind for kind, _, _ in acts(application)] == ["account.password_reset", "session.signed_in"]


def test_earlier_links_work_until_one_is_used_and_then_none_does(application, ada):
    first, second, third = (asked(application) for _ in range(3))

    reset_password(application, second, NEW, HOME)

    for token in (first, second, third):
        assert code_of(reset_password, application, token, PASSWORD, HOME) == "link_over"


def test_using_links_at_once_uses_one(application, ada):
    tokens = [asked(application) for _ in range(2)]

    def outcome(token):
        try:
            reset_password(application, token, NEW, HOME)
        except Refused as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(outcome, tokens * 2))

    assert found == ["done", "link_over", "link_over", "link_over"]


def test_a_weak_password_does_not_use_the_link_up(application, ada):
    token = asked(application)

    assert code_of(reset_password, application, token, "ada lund 123", HOME) == "password_weak"
    reset_password(application, token, NEW, HOME)


@pytest.mark.parametrize("token", ["A" * 43, "", "ä" * 43])
def test_a_link_that_was_never_sent_is_over(application, token):
    assert code_of(reset_password, application, token, NEW, HOME) == "link_over"


def test_a_link_is_over_after_an_hour_and_for_who_may_not_sign_in(application, ada):
    late, disabled = asked(application), asked(application)
    with application.control.begin() as session:
        session.execute(update(TOKEN).where(TOKEN.c.id != _id_of(session, disabled)).values(expires_at=now()))
        session.execute(update(ACCOUNT).values(state="disabled"))

    assert code_of(reset_password, application, late, NEW, HOME) == "link_over"
    assert code_of(reset_password, application, disabled, NEW, HOME) == "link_over"


def _id_of(session, token):
    return session.scalar(select(TOKEN.c.id).where(TOKEN.c.token_hash == token_hash(token)))


def test_asking_does_the_same_for_a_known_and_an_unknown_address(application, ada):
    found = []
    for email in (ADA, "unknown@example.org"):
        with statements(application) as run:
            request_reset(application, email, HOME)
        found.append(run)

    assert found[0] == found[1]
    assert not any("FROM account\n" in statement or "FROM account " in statement for statement in found[0])


def test_an_address_gets_five_links_an_hour_and_they_still_work(application, ada, monkeypatch):
    """Somebody else asks as often as they may: the owner has a link that is not older than they are fast."""
    clock = Clock(monkeypatch, now())
    for number in range(12):
        request_reset(application, ADA, f"198.51.100.{number}")
    request_reset(application, ADA, HOME)

    assert mails_to(application, ADA) == ["password-reset"] * 5
    clock.move(minutes=12)
    request_reset(application, ADA, HOME)
    assert mails_to(application, ADA) == ["password-reset"] * 6
    reset_password(application, reset_tokens(application, ADA)[0], NEW, HOME)


def test_whoever_asks_for_other_spellings_of_a_mailbox_keeps_no_link_from_its_owner(application, ada, monkeypatch):
    """Nobody has an account by those, so nothing is mailed: the mailbox's own count is of what is."""
    Clock(monkeypatch, now())
    for number in range(12):
        request_reset(application, f"ada+{number}@example.org", f"198.51.100.{number}")

    request_reset(application, "Ada@example.org", HOME)

    (link,) = reset_tokens(application, ADA)
    reset_password(application, link, NEW, HOME)


def test_a_network_asks_for_only_so_many(application, monkeypatch):
    Clock(monkeypatch, now())
    for number in range(20):
        request_reset(application, f"person-{number}@example.org", HOME)

    assert code_of(request_reset, application, ADA, HOME) == "too_many_tries"
    request_reset(application, ADA, "198.51.100.1")


def test_a_new_password_lets_its_owner_in_however_often_others_failed(application, ada, monkeypatch):
    Clock(monkeypatch, now())
    for number in range(12):
        for _ in range(6):
            code_of(sign_in, application, ADA, NEW, f"198.51.100.{number}")
    code_of(sign_in, application, ADA, NEW, HOME)
    assert code_of(sign_in, application, ADA, PASSWORD, HOME) == "too_many_tries"

    reset_password(application, asked(application), NEW, HOME)

    assert sign_in(application, ADA, NEW, HOME)
