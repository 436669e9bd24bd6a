"""Deleting an account: it can be undone for a week, takes along only what it is told to, and then leaves no trace."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import String, cast, func, insert, or_, select, update

from pigi.clock import now
from pigi.domain.access import AccountState, Caller, Person, Role
from pigi.domain.retention import GRACE
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.kinds import PURGE_ACCOUNT, SWEEP_ORGANISATIONS
from pigi.operations.access import role_in
from pigi.operations.accounts import sign_in
from pigi.operations.audit import record, verify
from pigi.operations.configuration import create_project
from pigi.operations.contact import read_ticket
from pigi.operations.deletion import accounts, delete_account, restore_account
from pigi.operations.deletion.receipts import read_receipt
from pigi.operations.organisations import end_membership
from pigi.store.deletions import Deletion
from pigi.store.ledgers import Mail
from pigi.store.people import Account
from pigi.store.schema import CONTROL
from pigi.store.tenant import Project
from tasks import accounts as bodies  # noqa: F401 - registers bodies
from tasks import organisations as others  # noqa: F401 - registers bodies
from tests.support.accounts import cheap_hash, make_passwords_cheap
from tests.support.billing import Shop
from tests.support.contact import make_ticket
from tests.support.factories import make_organisation
from tests.support.jobs import ask
from tests.support.people import PASSWORD, join, make_account, make_invitation, make_member

NETWORK = "192.0.2.0/32"
ADDRESS = "marker-person@example.org"


@pytest.fixture
def shop(with_redis, redis_server, stripe, monkeypatch):
    make_passwords_cheap(monkeypatch)
    settings = with_redis.settings.model_copy(update={"redis_url": redis_server.url})
    return Shop(replace(with_redis, settings=settings), stripe)


@pytest.fixture
def person(shop):
    """Somebody with an account."""
    return Person(make_account(shop.application, email=ADDRESS, password_hash=cheap_hash()), new_id())


@pytest.fixture
def shared(shop, person):
    """An organisation that the person owns with somebody else."""
    organisation = make_organisation(shop.control, shop.application.tenants, "Shared Works")
    join(shop.application, organisation, person.account_id, Role.OWNER)
    make_member(shop.application, organisation, Role.OWNER)
    return organisation


@pytest.fixture
def sole(shop, person):
    """An organisation that nobody else owns, though it has other members."""
    organisation = make_organisation(shop.control, shop.application.tenants, "Sole Works")
    join(shop.application, organisation, person.account_id, Role.OWNER)
    make_member(shop.application, organisation, Role.ADMIN)
    return organisation


def leave(shop, person, *organisations):
    return delete_account(shop.application, person, PASSWORD, organisations, NETWORK)


def refusal(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value


def state_of(shop, table, key):
    with shop.control.read() as session:
        return session.scalar(select(table.state).where(table.id == key))


def lapse(shop):
    """Let the grace of every deletion be over."""
    with shop.control.autocommit() as connection:
        long_ago = now() - GRACE - timedelta(minutes=1)
        connection.execute(update(Deletion).values(requested_at=long_ago, restorable_until=long_ago + GRACE))


def purge(shop):
    """Do the job of the deletion that is under way; its row, and the id of the receipt."""
    with shop.control.read() as session:
        deletion = session.execute(select(Deletion.id, Deletion.receipt_id).where(Deletion.scope == "account")).one()
    return shop.do(ask(shop.control, PURGE_ACCOUNT, subject_id=deletion.id)), deletion.receipt_id


def mentions(shop, text):
    """The tables of the control database in which any column has ``text`` in it."""
    with shop.control.autocommit() as connection:
        return {
            table.name
            for table in CONTROL.sorted_tables
            for columns in [[column for column in table.c if isinstance(column.type, String)]]
            if columns
            and connection.scalar(
                select(func.count())
                .select_from(table)
                .where(or_(*(cast(column, String).contains(text) for column in columns)))
            )
        }


def test_organisations_that_nobody_else_owns_are_named_and_nothing_is_done(shop, person, sole, shared):
    refused = refusal(lambda: leave(shop, person))

    assert refused.code == "sole_owner"
    assert refused.details["organisations"] == [{"id": sole, "name": "Sole Works"}]
    assert state_of(shop, Account, person.account_id) == AccountState.ACTIVE
    assert mentions(shop, "deletion_started") == set()


def test_an_organisation_with_another_owner_cannot_be_taken_along(shop, person, sole, shared):
    refused = refusal(lambda: leave(shop, person, sole, shared))

    assert (refused.code, refused.details["errors"][0]["pointer"]) == ("invalid", "/organisations/1")
    assert state_of(shop, Account, person.account_id) == AccountState.ACTIVE


def test_a_wrong_password_deletes_nothing(shop, person):
    refused = refusal(lambda: delete_account(shop.application, person, "not it at all", (), NETWORK))

    assert refused.code == "wrong_password"


def test_within_the_grace_everything_comes_back(shop, person, sole, shared):
    left = leave(shop, person, sole)

    assert left.deletion.restorable_until - left.deletion.requested_at == GRACE
    assert sign_in(shop.application, ADDRESS, PASSWORD, NETWORK).account.deletion == left.deletion
    assert role_in(shop.application, person.account_id, sole) is None
    assert restore_account(shop.application, person).deletion is None
    assert role_in(shop.application, person.account_id, sole) is Role.OWNER
    assert mentions(shop, left.deletion.receipt_id) == set()


@pytest.mark.parametrize(("early", "code"), [(timedelta(seconds=1), None), (timedelta(0), "not_restorable")])
def test_it_can_be_undone_for_a_week_to_the_second(shop, person, monkeypatch, early, code):
    until = leave(shop, person).deletion.restorable_until
    monkeypatch.setattr(accounts, "now", lambda: until - early)
    if code is None:
        assert restore_account(shop.application, person).deletion is None
    else:
        assert refusal(lambda: restore_account(shop.application, person)).code == code


def test_two_owners_who_go_leave_no_organisation_to_nobody(shop, person, shared):
    with shop.control.read() as session:
        other = session.scalar(select(Account.id).where(Account.id != person.account_id, Account.password_hash == "!"))
    leave(shop, person)
    caller = Caller(shared, Role.OWNER, other, confirmed=True)

    assert refusal(lambda: end_membership(shop.application, caller, other)).code == "last_owner"


def test_of_a_person_who_is_gone_no_row_tells(shop, person, shared):
    caller = Caller(shared, Role.OWNER, person.account_id)
    create_project(shop.application, caller, "Alpha", "")
    make_invitation(shop.application, shared, make_member(shop.application, shared, Role.OWNER), email=ADDRESS)
    typed = make_ticket(shop.application, email=ADDRESS)
    left = leave(shop, person)
    with shop.control.begin() as session:
        record(session, shop.application, "member.role_changed", "pigi", shared, person.name, was="admin", role="owner")
        hashed = shop.application.keyring.digest("mail address", ADDRESS.encode())
        mail = {"template": "welcome", "state": "sent", "address_hash": hashed, "created_at": now()}
        session.execute(insert(Mail).values(id=new_id(), job_id=new_id(), subject_id=new_id(), **mail))
    lapse(shop)
    job, receipt_id = purge(shop)

    assert (job.state, job.reason) == ("succeeded", None)
    assert mentions(shop, person.account_id) == set()
    assert mentions(shop, ADDRESS) == set()
    assert mentions(shop, hashed) <= {"mail"}  # the receipt's own
    assert refusal(lambda: read_ticket(shop.application, typed.id)).code == "not_found"
    with shop.application.tenants.read(shared) as tenant:
        assert tenant.connection().execute(select(Project.created_by)).scalars().all() == ["former member"]
    assert verify(shop.application).ok
    receipt = json.loads(read_receipt(shop.application, receipt_id))
    assert (receipt["scope"], receipt["id"]) == ("account", receipt_id)
    assert receipt["requested_at"] is not None
    assert left.deletion.receipt_id == receipt_id
    # The address is free again.
    assert make_account(shop.application, email=ADDRESS)


def test_organisations_that_go_along_are_sealed_first(shop, person, sole):
    leave(shop, person, sole)
    lapse(shop)
    job, _receipt = purge(shop)

    assert job.state == "succeeded"
    assert state_of(shop, Account, person.account_id) == AccountState.DELETING


def test_the_sweep_warns_a_day_before_and_asks_for_the_purge_after(shop, person):
    until = leave(shop, person).deletion.restorable_until
    shop.do(ask(shop.control, SWEEP_ORGANISATIONS))
    assert templates(shop) == ["account-deletion-started"]
    with shop.control.autocommit() as connection:
        connection.execute(update(Deletion).values(restorable_until=until - GRACE + timedelta(hours=23)))
    for _ in range(2):
        shop.do(ask(shop.control, SWEEP_ORGANISATIONS))
    assert templates(shop) == ["account-deletion-started", "account-deletion-warning"]
    lapse(shop)
    shop.do(ask(shop.control, SWEEP_ORGANISATIONS))
    assert mentions(shop, PURGE_ACCOUNT.name) == {"job"}


def templates(shop):
    with shop.control.read() as session:
        return list(session.scalars(select(Mail.template).order_by(Mail.id)))


def test_operators_are_disabled_instead(shop, person):
    assert refusal(lambda: leave(shop, replace(person, operator=True))).code == "not_for_operators"
