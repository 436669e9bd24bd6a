"""Organisations: whoever makes one owns it, with a database of its own, and nobody makes too many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from pigi.domain.access import Action, Person, Role
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.access import authorise, role_in
from pigi.operations.organisations import (
    OrganisationChange,
    change_organisation,
    create_organisation,
    end_membership,
    list_organisations,
    organisations,
    organisations_of,
    read_organisation,
    request_migrations,
)
from pigi.store.control import Job, Organisation
from pigi.store.ledgers import AuditContent, AuditEntry
from pigi.store.people import Membership
from tests.support.jobs import refuse, register_organisation
from tests.support.people import join, make_account, make_member


@pytest.fixture
def person(application):
    return Person(make_account(application), new_id(), confirmed=True)


@pytest.fixture
def no_databases(application, monkeypatch):
    """Organisations without databases, for tests that make many; what would have been made and dropped."""
    made = []
    monkeypatch.setattr(application.tenants, "provision", lambda organisation_id: made.append(organisation_id) or "1")
    monkeypatch.setattr(application.tenants, "drop", made.remove)
    return made


def acts(application):
    query = select(AuditEntry.kind, AuditContent.actor).join(AuditContent, AuditContent.seq == AuditEntry.seq)
    with application.control.read() as session:
        return [tuple(row) for row in session.execute(query.order_by(AuditEntry.seq))]


def test_whoever_makes_an_organisation_owns_it(application, person):
    own = create_organisation(application, "  Harbour Works ", person)
    view = organisations_of(application, person)[0]
    assert (view.id, view.name, view.role) == (own, "Harbour Works", Role.OWNER)
    with application.tenants.read(own) as tenant:
        assert tenant.organisation_id == own
    assert acts(application) == [("organisation.created", person.name), ("member.joined", person.name)]


def test_one_made_on_the_command_line_has_no_member(application):
    own = create_organisation(application, "Harbour Works")
    assert [found[0] for found in list_organisations(application)] == [own]
    assert acts(application) == [("organisation.created", "operator:cli")]


def test_people_see_their_own_alone(application, person):
    own, other = create_organisation(application, "One", person), create_organisation(application, "Two")
    assert [view.id for view in organisations_of(application, person)] == [own]
    with pytest.raises(Refused, match="not_found"):
        authorise(application, person, other, Action.ORGANISATION_READ)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "two\nlines", "\u2028", "a\x00b", "\udc80"])
def test_a_name_is_one_line(application, person, name):
    with pytest.raises(Refused, match="invalid_name"):
        create_organisation(application, name, person)
    assert organisations_of(application, person) == []


def test_operators_make_none(application, no_databases):
    operator = Person(make_account(application, operator=True), new_id(), operator=True)
    with pytest.raises(Refused, match="not_for_operators"):
        create_organisation(application, "One", operator)
    assert organisations_of(application, operator) == []
    assert no_databases == []


def test_an_account_makes_so_many_a_day(application, person, no_databases, monkeypatch):
    monkeypatch.setattr(organisations, "MOST_A_DAY", 3)
    made = [create_organisation(application, f"No {number}", person) for number in range(3)]
    with pytest.raises(Refused, match="too_many_today") as refused:
        create_organisation(application, "One more", person)
    assert refused.value.details["limit"] == 3
    assert 0 < refused.value.details["retry_after"] <= 86_401
    assert no_databases == made
    # Those that one was invited to do not count, nor do yesterday's.
    with application.control.begin() as session:
        row = session.get(Organisation, made[0])
        row.created_at -= timedelta(days=1)
        session.execute(
            update(Membership).where(Membership.organisation_id == made[0]).values(joined_at=row.created_at)
        )
    join(application, create_organisation(application, "Another's"), person.account_id)
    create_organisation(application, "One more", person)


def test_requests_that_come_together_share_the_days_number(application, person, no_databases, monkeypatch):
    monkeypatch.setattr(organisations, "MOST_A_DAY", 2)

    def make(number):
        try:
            return create_organisation(application, f"No {number}", person)
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(5) as threads:
        got = list(threads.map(make, range(5)))
    assert got.count("too_many_today") == 3
    assert sorted(no_databases) == sorted(set(got) - {"too_many_today"})


def test_a_refused_organisation_leaves_no_database(application, person, monkeypatch):
    provisioned, provision = [], application.tenants.provision

    def note(organisation_id):
        provisioned.append(organisation_id)
        return provision(organisation_id)

    def refuse(_session, _organisation_id):
        raise Refused("idempotency_undecided")

    monkeypatch.setattr(application.tenants, "provision", note)
    with pytest.raises(Refused, match="idempotency_undecided"):
        create_organisation(application, "One", person, refuse)
    with pytest.raises(Exception, match="tenant_missing"), application.tenants.read(provisioned[0]):
        pass
    with application.control.read() as session:
        assert session.scalar(select(func.count()).select_from(Organisation)) == 0
    assert acts(application) == []


def test_admins_rename_and_members_do_not(application, person):
    own = create_organisation(application, "One", person)
    member = make_member(application, own)
    owner = authorise(application, person, own, Action.ORGANISATION_CHANGE)
    assert change_organisation(application, owner, OrganisationChange(name="Two")).name == "Two"
    low = authorise(application, Person(member, new_id()), own, Action.ORGANISATION_READ)
    with pytest.raises(Refused, match="forbidden"):
        change_organisation(application, low, OrganisationChange(name="Three"))
    assert read_organisation(application, low).name == "Two"
    assert acts(application)[-1] == ("organisation.renamed", person.name)


def test_leaving_takes_it_from_the_list(application, person):
    own = create_organisation(application, "One", person)
    make_member(application, own, Role.OWNER)
    end_membership(application, authorise(application, person, own, Action.MEMBERSHIP_END), person.account_id)
    assert organisations_of(application, person) == []
    assert role_in(application, person.account_id, own) is None


def test_an_organisation_that_cannot_be_asked_for_keeps_no_other_from_its_migration(application, control):
    behind = [register_organisation(control) for _ in range(3)]
    refuse(control, "INSERT", "job", f"NEW.organisation_id = '{behind[1]}'")
    assert request_migrations(application, "operator") == 2
    with control.read() as session:
        assert set(session.scalars(select(Job.organisation_id))) == {behind[0], behind[2]}
