"""Dear acts: none is done without a confirmed session, and whom it concerns is told, many together in one mail."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from pigi.clock import now
from pigi.domain.access import Caller, Person, Role, Scope
from pigi.domain.audit import KINDS
from pigi.domain.dear_acts import DEAR_ACTS, GATHERED, NAMED, NOT_DEAR, dear_act
from pigi.errors import Permanent, Refused
from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.api_keys import make_key
from pigi.operations.api_keys.keys import MOST_LIVE
from pigi.operations.audit import CLI
from pigi.operations.credentials import INVITATION as USE
from pigi.operations.deletion import delete_organisation, restore_account, restore_organisation
from pigi.operations.exports import Owner, start_export
from pigi.operations.mail.contents import find_content
from pigi.operations.operators import add_operator
from pigi.operations.organisations import (
    Newcomer,
    OrganisationChange,
    accept_invitation,
    change_organisation,
    change_role,
    end_membership,
    invite,
    resend_invitation,
)
from pigi.operations.rules import change_rules
from pigi.operations.second_factors import renew_recovery_codes
from pigi.store.ledgers import Mail
from tests.support.factories import make_organisation
from tests.support.people import make_account, make_member

MAIL = Mail.__table__
ADDRESS = "invited@example.org"


class Place:
    """An organisation with two owners and a member."""

    def __init__(self, application, control, tenants):
        self.application = application
        self.own = make_organisation(control, tenants)
        self.olga = make_member(application, self.own, Role.OWNER, name="Olga")
        self.otto = make_member(application, self.own, Role.OWNER, name="Otto")
        self.mia = make_member(application, self.own, Role.MEMBER, name="Mia")

    def caller(self, account, *, confirmed=True, factor=False):
        role = Role.MEMBER if account == self.mia else Role.OWNER
        return Caller(self.own, role, account, confirmed=confirmed, factor=factor)

    def mails(self, account):
        """What each mail about dear acts says to them, oldest first, with the seconds that it waits."""
        mine = (MAIL.c.template == "dear-act", MAIL.c.recipient_id == account)
        query = select(MAIL, JOB.c.due_at).join(JOB, JOB.c.id == MAIL.c.job_id).where(*mine).order_by(MAIL.c.id)
        found = []
        with self.application.control.begin() as session:
            for row in session.execute(query).all():
                try:
                    facts = find_content(session, self.application, row).facts
                except Permanent:
                    continue
                found.append((said(facts), facts["more"], (row.due_at - row.created_at).total_seconds()))
        return found


def said(facts):
    return [" ".join([act["who"], *act["what"]]) for act in facts["acts"]]


@pytest.fixture
def place(application, control, tenants):
    return Place(application, control, tenants)


def test_of_every_kind_of_act_it_is_said_whether_it_is_dear_or_why_not():
    assert set(DEAR_ACTS) | set(NOT_DEAR) == set(KINDS)
    assert not set(DEAR_ACTS) & set(NOT_DEAR)
    assert all(NOT_DEAR.values())


def loosened(place, confirmed):
    change_rules(place.application, place.caller(place.olga), {"invisible-characters": "refuse"})
    change_rules(place.application, place.caller(place.olga, confirmed=confirmed), {})


def lowered(place, confirmed):
    change_role(place.application, place.caller(place.olga, confirmed=confirmed), place.otto, Role.ADMIN)


def left(place, confirmed):
    end_membership(place.application, place.caller(place.otto, confirmed=confirmed), place.otto)


def minted(place, confirmed):
    make_key(place.application, place.caller(place.olga, confirmed=confirmed), "deploy", [Scope.CONFIGURATION_READ])


def let_in(place, confirmed):
    change_organisation(
        place.application, place.caller(place.olga, factor=True), OrganisationChange(second_factor=True)
    )
    caller = place.caller(place.olga, confirmed=confirmed, factor=True)
    change_organisation(place.application, caller, OrganisationChange(second_factor=False))


def sent_again(place, confirmed):
    made = invite(place.application, place.caller(place.olga), ADDRESS, Role.OWNER)
    resend_invitation(place.application, place.caller(place.olga, confirmed=confirmed), made.id)


def restored(place, confirmed):
    delete_organisation(place.application, place.caller(place.olga))
    restore_organisation(place.application, place.caller(place.olga, confirmed=confirmed))


def accepted(place, confirmed):
    address = f"{'in' if confirmed else 'out'}@example.org"
    made = invite(place.application, place.caller(place.olga), address, Role.OWNER)
    person = Person(make_account(place.application, email=address), new_id(), confirmed=confirmed)
    accept_invitation(place.application, place.application.keyring.token(USE, made.id), person, Newcomer())


ASKED = [loosened, lowered, left, minted, let_in, sent_again, restored, accepted]


@pytest.mark.parametrize("act", ASKED)
def test_a_dear_act_is_refused_without_a_confirmed_session_and_told_to_all_owners_with_one(place, act):
    with pytest.raises(Refused, match="confirmation_required"):
        act(place, False)
    before = len(place.mails(place.olga)), len(place.mails(place.otto))
    if act is restored:
        restore_organisation(place.application, place.caller(place.olga))
    else:
        act(place, True)
    acts = [place.mails(one) for one in (place.olga, place.otto)]
    assert all(acts), before


def test_fifty_keys_are_told_at_once_and_then_together(place):
    for number in range(MOST_LIVE):
        make_key(place.application, place.caller(place.olga), f"key {number}", [Scope.CONFIGURATION_READ])
    for owner, who in ((place.olga, "You"), (place.otto, "“Olga”")):
        (first, more, waits), (second, further, later) = place.mails(owner)
        assert (first, more, waits <= 1) == ([f"{who} made the API key “key 0”"], 0, True)
        assert (second[0], len(second) + further) == (f"{who} made the API key “key 1”", MOST_LIVE - 1)
        assert len(second) == NAMED
        assert GATHERED.total_seconds() - 60 < later <= GATHERED.total_seconds() + 1
    assert place.mails(place.mia) == []


def test_after_the_hour_the_next_act_is_told_at_once(place):
    minted(place, confirmed=True)
    ago = now() - GATHERED
    with place.application.control.transaction() as connection:
        connection.execute(update(MAIL).values(created_at=ago))
        connection.execute(update(JOB).values(due_at=ago))
    minted(place, confirmed=True)
    (_, (acts, _more, waits)) = place.mails(place.otto)
    assert (acts, waits <= 1) == (["“Olga” made the API key “deploy”"], True)


def test_whoever_is_an_owner_no_more_reads_of_their_own_end_alone(place):
    minted(place, confirmed=True)
    end_membership(place.application, place.caller(place.olga), place.otto)
    minted(place, confirmed=True)
    assert [acts for acts, *_ in place.mails(place.otto)] == [["“Olga” ended the membership of the owner “Otto”"]]
    assert len(place.mails(place.olga)[1][0]) == 2


def test_deleting_the_organisation_does_not_stop_what_tells_of_the_acts_before(place):
    minted(place, confirmed=True)
    minted(place, confirmed=True)
    delete_organisation(place.application, place.caller(place.olga))
    assert [len(acts) for acts, *_ in place.mails(place.otto)] == [1, 2]


def test_what_operators_take_is_told_to_whom_it_belongs(place):
    operator = Person(make_account(place.application, operator=True), new_id(), operator=True)
    with pytest.raises(Refused, match="confirmation_required"):
        start_export(place.application, Owner(place.own), operator.name, "a request", operator=operator)
    start_export(place.application, Owner(place.own), CLI, "a request")
    expected = ["An operator of Pigi started an export of the organisation's configuration"]
    assert [acts for acts, *_ in place.mails(place.otto)] == [expected]
    start_export(place.application, Owner(None, place.mia), CLI, "a request")
    expected = ["An operator of Pigi started an export of what Pigi holds about you"]
    assert [acts for acts, *_ in place.mails(place.mia)] == [expected]


def test_a_new_operator_is_told_to_the_others(place):
    first = add_operator(place.application, "one@example.org", "One", "a long enough password 1")
    add_operator(place.application, "two@example.org", "Two", "a long enough password 2")
    assert next(acts for acts, *_ in place.mails(first)) == ["An operator of Pigi made “One” an operator"]
    assert "An operator of Pigi made “Two” an operator" in [one for acts, *_ in place.mails(first) for one in acts]
    assert place.mails(place.olga) == []


def test_a_second_factor_is_not_weakened_without_the_proof(place):
    with pytest.raises(Refused, match=r"second_factor_off|confirmation_required"):
        renew_recovery_codes(place.application, Person(place.olga, new_id()))


def test_an_account_that_needs_nobodys_proof_says_why():
    assert dear_act("account.restored", {}).unasked
    assert dear_act("member.joined", {"role": "owner", "invitation": None}) is None
    assert dear_act("member.role_changed", {"was": "admin", "role": "member"}) is None
    assert callable(restore_account)
