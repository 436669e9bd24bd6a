"""Changing one's own account: what needs the password, who is notified, and what ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.retention import Retention
from pigi.errors import Refused
from pigi.operations.accounts import (
    Change,
    change_account,
    confirm_address,
    confirm_session,
    find_person,
    read_account,
    request_reset,
    reset_password,
    sign_in,
)
from pigi.operations.credentials import OLD_ADDRESS
from pigi.operations.retention.removal import Removal
from pigi.operations.retention.sweeps import SWEEPS
from pigi.store.ledgers import Mail
from pigi.store.people import Session
from tests.support.accounts import (
    acts,
    address_tokens,
    cheap_hash,
    link_tokens,
    mails_to,
    make_passwords_cheap,
    reset_tokens,
    session_count,
    the_account,
)
from tests.support.people import PASSWORD, code_of, make_account, make_session

ADA, NEW_ADDRESS, HOME = "ada@example.org", "lund@example.net", "203.0.113.9"
NEW = "lantern quay 92 heron drift"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    make_passwords_cheap(monkeypatch)


@pytest.fixture
def ada(application):
    """Ada, signed in in this browser and in another."""
    account_id = make_account(application, email=ADA, password_hash=cheap_hash())
    make_session(application, account_id)
    return find_person(application, make_session(application, account_id))


def changed(application, person, **change):
    return change_account(application, person, Change(**change), HOME)


def refused(call, *arguments, **others):
    with pytest.raises(Refused) as refusal:
        call(*arguments, **others)
    return refusal.value.code, [flaw["pointer"] for flaw in refusal.value.details.get("errors", ())]


def test_a_name_needs_no_password_and_notifies_nobody(application, ada):
    assert changed(application, ada, name="Ada Lovelund").name == "Ada Lovelund"

    assert read_account(application, ada.account_id).name == "Ada Lovelund"
    assert mails_to(application, ADA) == []
    assert session_count(application, ada.account_id) == 2


@pytest.mark.parametrize("wanted", [{"email": NEW_ADDRESS}, {"new_password": NEW}])
def test_address_and_password_need_the_password(application, ada, wanted):
    assert refused(changed, application, ada, **wanted) == ("invalid", ["/password"])
    assert refused(changed, application, ada, **wanted, password=NEW) == ("wrong_password", ["/password"])
    assert mails_to(application, ADA) == []


def test_a_stolen_session_cannot_try_passwords_for_long(application, ada):
    found = [refused(changed, application, ada, new_password=NEW, password=NEW)[0] for _ in range(6)]

    assert found == ["wrong_password"] * 5 + ["too_many_tries"]


def test_a_new_password_ends_all_other_sessions_and_links_and_is_notified(application, ada):
    request_reset(application, ADA, HOME)
    changed(application, ada, email=NEW_ADDRESS, password=PASSWORD)
    reset, confirm = reset_tokens(application, ADA)[0], address_tokens(application, NEW_ADDRESS)[0]

    changed(application, ada, new_password=NEW, password=PASSWORD)

    assert session_count(application, ada.account_id) == 1
    assert refused(reset_password, application, reset, PASSWORD, HOME)[0] == "link_over"
    assert refused(confirm_address, application, confirm, None, HOME)[0] == "link_over"
    assert mails_to(application, ADA) == ["password-reset", "address-changed", "password-changed"]
    assert sign_in(application, ADA, NEW, HOME)
    assert refused(sign_in, application, ADA, PASSWORD, HOME)[0] == "wrong_credentials"
    assert acts(application)[1] == ("account.password_changed", ada.name, ada.name)


def test_a_weak_new_password_is_pointed_at_and_changes_nothing(application, ada):
    asked = {"name": "Nobody", "new_password": "ada lund 1985", "password": PASSWORD}

    assert refused(changed, application, ada, **asked) == ("password_weak", ["/new_password"])
    assert read_account(application, ada.account_id).name == "Ada Lund"


def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_notified_before(application, ada):
    seen = changed(application, ada, email=NEW_ADDRESS, password=PASSWORD)

    assert (seen.email, seen.new_email) == (ADA, NEW_ADDRESS)
    assert mails_to(application, ADA) == ["address-changed"]
    assert mails_to(application, NEW_ADDRESS) == ["confirm-address"]
    assert sign_in(application, ADA, PASSWORD, HOME)

    confirm_address(application, address_tokens(application, NEW_ADDRESS)[0], ada, HOME)

    assert read_account(application, ada.account_id).email == NEW_ADDRESS
    assert read_account(application, ada.account_id).new_email is None
    assert session_count(application, ada.account_id) == 1
    assert find_person_id(application, ada) == ada.account_id
    assert refused(sign_in, application, ADA, PASSWORD, HOME)[0] == "wrong_credentials"
    assert sign_in(application, NEW_ADDRESS, PASSWORD, HOME)
    assert acts(application)[-2] == ("account.address_changed", ada.name, ada.name)


def find_person_id(application, person):
    with application.control.read() as session:
        return session.scalar(select(Session.account_id).where(Session.id == person.session_id))


def test_the_link_alone_moves_no_account_and_with_the_password_ends_every_session(application, ada):
    changed(application, ada, email=NEW_ADDRESS, password=PASSWORD)
    stranger = find_person(application, make_session(application, make_account(application)))
    token = address_tokens(application, NEW_ADDRESS)[0]

    assert refused(confirm_address, application, token, None, HOME)[0] == "owner_needed"
    assert refused(confirm_address, application, token, stranger, HOME)[0] == "owner_needed"
    assert refused(confirm_address, application, token, stranger, HOME, NEW)[0] == "wrong_password"
    assert read_account(application, ada.account_id).email == ADA

    confirm_address(application, token, stranger, HOME, PASSWORD)

    assert read_account(application, ada.account_id).email == NEW_ADDRESS
    assert session_count(application, ada.account_id) == 0
    assert session_count(application, stranger.account_id) == 1


def test_nothing_reveals_that_an_address_is_taken_until_its_owner_would_confirm(application, ada):
    make_account(application, email=NEW_ADDRESS)

    seen = changed(application, ada, email=NEW_ADDRESS.upper(), password=PASSWORD)

    assert seen.new_email == NEW_ADDRESS.upper()
    assert mails_to(application, NEW_ADDRESS) == ["confirm-address"]
    token = address_tokens(application, NEW_ADDRESS)[0]
    assert refused(confirm_address, application, token, ada, HOME)[0] == "link_over"
    assert read_account(application, ada.account_id).email == ADA
    assert session_count(application, ada.account_id) == 2


def test_a_link_confirms_once_and_ends_those_of_other_addresses(application, ada):
    for email in ("first@example.org", NEW_ADDRESS):
        changed(application, ada, email=email, password=PASSWORD)
    first, second = address_tokens(application, "first@example.org")[0], address_tokens(application, NEW_ADDRESS)[0]

    confirm_address(application, second, None, HOME, PASSWORD)

    for token in (first, second):
        assert refused(confirm_address, application, token, None, HOME)[0] == "link_over"
    assert read_account(application, ada.account_id).email == NEW_ADDRESS


def test_links_that_went_to_the_old_address_die_with_it(application, ada):
    """Whoever reads the old mailbox, and had requested a new password, has nothing of it after the change."""
    request_reset(application, ADA, HOME)
    token = reset_tokens(application, ADA)[0]
    changed(application, ada, email=NEW_ADDRESS, password=PASSWORD)
    confirm_address(application, address_tokens(application, NEW_ADDRESS)[0], None, HOME, PASSWORD)

    assert refused(reset_password, application, token, NEW, HOME)[0] == "link_over"


def test_the_notice_to_the_old_address_outlives_the_change(application, ada):
    changed(application, ada, email=NEW_ADDRESS, password=PASSWORD)
    confirm_address(application, address_tokens(application, NEW_ADDRESS)[0], None, HOME, PASSWORD)

    held = link_tokens(application, OLD_ADDRESS, ADA)
    assert len(held) == 1
    assert refused(confirm_address, application, held[0], None, HOME)[0] == "link_over"
    assert refused(reset_password, application, held[0], NEW, HOME)[0] == "link_over"


def test_the_notice_waits_for_its_mail_server_longer_than_links_live(application, ada):
    changed(application, ada, email=NEW_ADDRESS, password=PASSWORD)
    (sweep,) = (sweep for sweep in SWEEPS if sweep.retention is Retention.TOKEN)
    later = now() + timedelta(hours=5)

    assert Removal(application.control, sweep, later).batch() == 1
    assert len(link_tokens(application, OLD_ADDRESS, ADA)) == 1

    with application.control.begin() as session:
        session.execute(update(Mail).values(ended_at=now()))
    assert Removal(application.control, sweep, later).batch() == 1
    assert link_tokens(application, OLD_ADDRESS, ADA) == []


def test_the_same_address_is_no_change_and_another_spelling_is_one(application, ada):
    assert changed(application, ada, email=ADA, password=PASSWORD).new_email is None
    assert mails_to(application, ADA) == []

    changed(application, ada, email="Ada@Example.org", password=PASSWORD)
    confirm_address(application, address_tokens(application, ADA)[-1], ada, HOME)

    assert the_account(application, ADA).email == "Ada@Example.org"


def test_nobody_can_have_pigi_write_to_address_after_address(application, ada):
    for number in range(5):
        changed(application, ada, email=f"person-{number}@example.org", password=PASSWORD)

    assert refused(changed, application, ada, email=NEW_ADDRESS, password=PASSWORD)[0] == "too_many_tries"


def test_all_is_changed_together_or_not_at_all(application, ada):
    seen = changed(application, ada, name="Ada L.", email=NEW_ADDRESS, new_password=NEW, password=PASSWORD)

    assert (seen.name, seen.new_email) == ("Ada L.", NEW_ADDRESS)
    assert address_tokens(application, NEW_ADDRESS)
    assert mails_to(application, ADA) == ["password-changed", "address-changed"]

    def stop(_session):
        raise Refused("idempotency_undecided")

    with pytest.raises(Refused):
        change_account(application, ada, Change(name="Eve", new_password=PASSWORD, password=NEW), HOME, stop)
    assert read_account(application, ada.account_id).name == "Ada L."
    assert sign_in(application, ADA, NEW, HOME)


def test_an_operator_s_changes_are_an_operator_s(application):
    make_account(application, email=ADA, password_hash=cheap_hash(), operator=True)
    signed_in = sign_in(application, ADA, PASSWORD, HOME, code=code_of())
    confirm_session(application, find_person(application, signed_in.token), PASSWORD, HOME, code=code_of(1))
    changed(application, find_person(application, signed_in.token), new_password=NEW, password=PASSWORD)

    assert acts(application)[-1][1] == f"operator:{signed_in.account.id}"
