"""API keys of whoever leaves or may do less: revoked in the same act, or handed over, and whoever must know is told."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from pigi.domain.access import Action, KeyFate, Person, Role, Scope
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.kinds import SEND_MAIL
from pigi.operations.access import authorise
from pigi.operations.api_keys import authenticate, end_key, keys_of, make_key, read_key
from pigi.operations.deletion import delete_account
from pigi.operations.jobs import list_jobs
from pigi.operations.mail.contents import find_content
from pigi.operations.organisations import change_role, end_membership
from pigi.store.ledgers import AuditContent, AuditEntry, Mail
from pigi.store.people import ApiKey
from tests.support.factories import make_organisation
from tests.support.people import PASSWORD, hashed, make_member

READ, WRITE, _GENERATE, EXPORT = Scope
HAND_OVER = KeyFate.HAND_OVER


class House:
    """An organisation with two owners and an admin, who made two keys and revoked a third."""

    def __init__(self, application, control, tenants):
        self.application = application
        self.own = make_organisation(control, tenants)
        self.olga = make_member(application, self.own, Role.OWNER, name="Olga")
        self.otto = make_member(application, self.own, Role.OWNER, name="Otto")
        self.aron = make_member(application, self.own, Role.ADMIN, name="Aron", password_hash=hashed())
        self.writes = make_key(application, self.caller(self.aron), "writes", [WRITE])
        self.exports = make_key(application, self.caller(self.aron), "exports", [READ, EXPORT])
        ended = make_key(application, self.caller(self.aron), "ended", [READ])
        end_key(application, self.caller(self.aron), ended.id)
        self.others = make_key(application, self.caller(self.olga), "others", [WRITE])

    def caller(self, account, action=Action.ORGANISATION_READ):
        person = Person(account, new_id(), confirmed=True)
        return authorise(self.application, person, self.own, action)

    def opens(self):
        """Labels of the keys that open something."""
        found = []
        for issued in (self.writes, self.exports, self.others):
            try:
                found.append(read_key(self.application, self.caller(self.olga), authenticate(
                    self.application, issued.token).key_id).label)  # fmt: skip
            except Refused:
                continue
        return found

    def told(self, template="keys-settled"):
        """By recipient, what the mails say."""
        with self.application.control.begin() as session:
            rows = session.execute(select(Mail.__table__).where(Mail.template == template)).all()
            return {row.recipient_id: find_content(session, self.application, row).facts for row in rows}

    def acts(self, kind):
        query = select(AuditContent.subject).join(AuditEntry, AuditEntry.seq == AuditContent.seq)
        with self.application.control.read() as session:
            return sorted(session.scalars(query.where(AuditEntry.kind == kind)))


@pytest.fixture
def house(application, control, tenants):
    return House(application, control, tenants)


@pytest.mark.parametrize("by", ["olga", "aron"])
def test_the_keys_of_whoever_leaves_or_is_removed_open_nothing_from_then_on(house, by):
    assert {key.label for key in keys_of(house.application, house.caller(house.olga), house.aron)} == {
        "writes",
        "exports",
    }
    end_membership(house.application, house.caller(getattr(house, by)), house.aron)
    assert house.opens() == ["others"]
    view = read_key(house.application, house.caller(house.olga), house.writes.id)
    assert view.created_by_name == f"former member {house.aron[-8:]}"
    told = house.told()
    assert set(told) == {house.olga, house.otto}
    assert (told[house.otto]["maker"], told[house.otto]["labels"]) == ("Aron", ["writes", "exports"])
    assert (told[house.otto]["handed"], told[house.otto]["yours"]) == (False, False)
    assert set(house.acts("key.revoked")) >= {f"api-key:{house.writes.id}", f"api-key:{house.exports.id}"}


def test_keys_are_handed_to_whoever_removes_and_go_with_them(house):
    end_membership(house.application, house.caller(house.otto), house.aron, keys=HAND_OVER)
    assert house.opens() == ["writes", "exports", "others"]
    view = read_key(house.application, house.caller(house.olga), house.writes.id)
    assert (view.handed_to, view.handed_to_name, view.answers) == (house.otto, "Otto", house.otto)
    assert house.acts("key.handed_over") == [f"account:{house.otto}"] * 2
    told = house.told()
    assert (told[house.otto]["yours"], told[house.olga]["yours"], told[house.olga]["handed"]) == (True, False, True)
    end_membership(house.application, house.caller(house.olga), house.otto)
    assert house.opens() == ["others"]


def test_nobody_of_the_organisation_can_cancel_the_mails_that_tell_of_it(house):
    end_membership(house.application, house.caller(house.otto), house.aron, keys=HAND_OVER)

    assert house.told()
    assert list_jobs(house.application, house.own, kind=SEND_MAIL.name) == []


def test_whoever_leaves_hands_their_keys_to_the_owner_who_is_there_longest(house):
    end_membership(house.application, house.caller(house.aron), house.aron, keys=HAND_OVER)
    assert {key.label for key in keys_of(house.application, house.caller(house.olga), house.olga)} == {
        "writes",
        "exports",
        "others",
    }


def test_a_lower_role_settles_what_opens_more_than_it_may(house):
    change_role(house.application, house.caller(house.olga), house.aron, Role.MEMBER)
    assert house.opens() == ["writes", "others"]
    assert house.told()[house.otto]["labels"] == ["exports"]
    change_role(house.application, house.caller(house.olga), house.aron, Role.ADMIN)
    assert house.opens() == ["writes", "others"]


@pytest.mark.parametrize("fate", KeyFate)
def test_deleting_an_account_settles_its_keys_where_others_go_on(house, fate):
    person = Person(house.aron, new_id(), confirmed=True)
    delete_account(house.application, person, PASSWORD, [], "192.0.2.1", keys=fate)
    assert house.opens() == (["others"] if fate is KeyFate.REVOKE else ["writes", "exports", "others"])
    assert set(house.told()) == {house.olga, house.otto}


def test_a_change_of_role_that_fails_settles_nothing(house):
    with pytest.raises(Refused):
        end_membership(house.application, house.caller(house.aron), house.olga)
    assert house.opens() == ["writes", "exports", "others"]
    assert house.told() == {}


def test_a_revoked_key_stays_as_it_is(house):
    end_membership(house.application, house.caller(house.olga), house.aron, keys=HAND_OVER)
    with house.application.control.begin() as session:
        rows = session.execute(select(ApiKey.label).where(ApiKey.settlement.is_(None)).order_by(ApiKey.label)).scalars()
        assert rows.all() == ["ended", "others"]
        session.execute(update(ApiKey).values(revoked_at=None))
    assert "ended" not in {key.label for key in keys_of(house.application, house.caller(house.olga), house.olga)}


def test_all_owners_hear_who_became_one_and_who_is_none_any_more(house):
    change_role(house.application, house.caller(house.olga), house.aron, Role.OWNER)
    told = house.told("dear-act")
    assert set(told) == {house.olga, house.otto, house.aron}
    change_role(house.application, house.caller(house.olga), house.aron, Role.MEMBER)
    told = house.told("dear-act")
    said = [" ".join([act["who"], *act["what"]]) for act in told[house.aron]["acts"]]
    assert said[-1] == "“Olga” changed the role of “Aron” from owner to member"
    assert not told[house.aron]["owning"]
