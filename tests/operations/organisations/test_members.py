"""Members: nobody grants or touches what is above them, and there is always an owner, whatever happens at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from pigi.domain.access import Action, Caller, Person, Role
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.access import authorise, role_in
from pigi.operations.credentials import INVITATION
from pigi.operations.organisations import (
    Newcomer,
    accept_invitation,
    change_role,
    end_membership,
    invite,
    list_invitations,
    list_members,
    read_member,
)
from pigi.store.ledgers import AuditEntry
from pigi.store.people import Account, Membership
from tests.support.chance import many
from tests.support.jobs import register_organisation
from tests.support.people import join, make_account, make_invitation, make_member

OWNER, ADMIN, MEMBER = Role.OWNER, Role.ADMIN, Role.MEMBER


@pytest.fixture
def own(control):
    return register_organisation(control)


def caller(application, organisation_id, account_id):
    """The account, as it is let in now."""
    return Caller(organisation_id, role_in(application, account_id, organisation_id), account_id, confirmed=True)


def acts(application):
    """The kinds of the audit chain's entries, in order."""
    with application.control.read() as session:
        return list(session.scalars(select(AuditEntry.kind).order_by(AuditEntry.seq)))


def outcome(act):
    """The code of a refusal, or None."""
    try:
        act()
    except Refused as refusal:
        return refusal.code
    return None


def test_members_see_each_other(application, own):
    first = make_member(application, own, OWNER, name="Ada", email="ada@example.com")
    second = make_member(application, own, name="Bo")
    make_member(application, register_organisation(application.control), name="Stranger")
    found = list_members(application, caller(application, own, second))
    assert [(view.account_id, view.name, view.role) for view in found] == [
        (first, "Ada", OWNER),
        (second, "Bo", MEMBER),
    ]
    assert found[0].email == "ada@example.com"
    assert list_members(application, caller(application, own, second), after=first) == found[1:]


def test_a_role_counts_from_the_next_request_on(application, own):
    owner, other = make_member(application, own, OWNER), make_member(application, own)
    person = Person(other, new_id())
    with pytest.raises(Refused, match="forbidden"):
        authorise(application, person, own, Action.KEYS_CHANGE)
    change_role(application, caller(application, own, owner), other, ADMIN)
    assert authorise(application, person, own, Action.KEYS_CHANGE).role is ADMIN
    end_membership(application, caller(application, own, owner), other)
    with pytest.raises(Refused, match="not_found"):
        authorise(application, person, own, Action.ORGANISATION_READ)
    assert acts(application) == ["member.role_changed", "member.removed"]


@pytest.mark.parametrize(
    ("actor", "target", "role", "refused"),
    [
        (ADMIN, MEMBER, ADMIN, None),
        (ADMIN, ADMIN, MEMBER, None),
        (ADMIN, MEMBER, OWNER, "forbidden"),
        (ADMIN, OWNER, MEMBER, "forbidden"),
        (ADMIN, OWNER, OWNER, "forbidden"),
        (MEMBER, MEMBER, MEMBER, "forbidden"),
        (MEMBER, ADMIN, MEMBER, "forbidden"),
        (OWNER, OWNER, MEMBER, None),
        (OWNER, MEMBER, OWNER, None),
    ],
)
def test_nobody_grants_or_changes_a_role_above_their_own(application, own, actor, target, role, refused):
    make_member(application, own, OWNER)
    one, other = make_member(application, own, actor), make_member(application, own, target)
    assert outcome(lambda: change_role(application, caller(application, own, one), other, role)) == refused
    assert role_in(application, other, own) is (target if refused else role)


@pytest.mark.parametrize(
    ("actor", "target", "refused"),
    [
        (ADMIN, MEMBER, None),
        (ADMIN, ADMIN, None),
        (ADMIN, OWNER, "forbidden"),
        (MEMBER, MEMBER, "forbidden"),
        (OWNER, OWNER, None),
    ],
)
def test_nobody_removes_whoever_is_above_them(application, own, actor, target, refused):
    make_member(application, own, OWNER)
    one, other = make_member(application, own, actor), make_member(application, own, target)
    assert outcome(lambda: end_membership(application, caller(application, own, one), other)) == refused
    assert (role_in(application, other, own) is None) is (refused is None)


@pytest.mark.parametrize("role", list(Role))
def test_anybody_may_leave(application, own, role):
    make_member(application, own, OWNER)
    one = make_member(application, own, role)
    end_membership(application, caller(application, own, one), one)
    assert role_in(application, one, own) is None
    assert acts(application) == ["member.left"]


def test_the_last_owner_can_neither_leave_nor_step_down(application, own):
    owner, _ = make_member(application, own, OWNER), make_member(application, own, ADMIN)
    self = caller(application, own, owner)
    assert outcome(lambda: end_membership(application, self, owner)) == "last_owner"
    assert outcome(lambda: change_role(application, self, owner, ADMIN)) == "last_owner"
    assert outcome(lambda: change_role(application, self, owner, OWNER)) is None
    assert acts(application) == []


def test_strangers_and_other_organisations_are_not_found(application, own, control):
    owner, elsewhere = make_member(application, own, OWNER), register_organisation(control)
    stranger = make_member(application, elsewhere, MEMBER)
    self = caller(application, own, owner)
    for account_id in (stranger, new_id(), "nobody"):
        assert outcome(lambda: change_role(application, self, account_id, MEMBER)) == "not_found"  # noqa: B023 - at once
        assert outcome(lambda: end_membership(application, self, account_id)) == "not_found"  # noqa: B023 - at once
        assert outcome(lambda: read_member(application, self, account_id)) == "not_found"  # noqa: B023 - at once
    assert role_in(application, stranger, elsewhere) is MEMBER


def test_what_was_allowed_when_the_request_came_is_decided_again(application, own):
    owner, admin = make_member(application, own, OWNER), make_member(application, own, ADMIN)
    other = make_member(application, own)
    late = caller(application, own, admin)
    change_role(application, caller(application, own, owner), admin, MEMBER)
    assert outcome(lambda: change_role(application, late, other, ADMIN)) == "forbidden"
    end_membership(application, caller(application, own, owner), admin)
    assert outcome(lambda: end_membership(application, late, other)) == "not_found"


@pytest.mark.parametrize("act", ["leave", "step down", "remove each other"])
def test_two_owners_who_go_at_the_same_moment_do_not_both_go(application, own, act):
    for _ in range(5):
        pair = [make_member(application, own, OWNER), make_member(application, own, OWNER)]
        gone = _at_once(application, own, pair, act)
        assert sorted(gone, key=str) in ([None, "last_owner"], [None, "not_found"])
        left = [account for account in pair if role_in(application, account, own) is OWNER]
        assert len(left) == 1
        # For the next round nobody but its own pair may own.
        with application.control.begin() as session:
            session.query(Membership).filter_by(organisation_id=own).delete()


def _at_once(application, own, pair, act):
    barrier = Barrier(2)

    def go(self, other):
        here = caller(application, own, self)
        barrier.wait(30)
        if act == "leave":
            return outcome(lambda: end_membership(application, here, self))
        if act == "step down":
            return outcome(lambda: change_role(application, here, self, MEMBER))
        return outcome(lambda: end_membership(application, here, other))

    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(go, pair, reversed(pair)))


def test_what_a_member_invited_and_could_not_any_more_is_revoked(application, own):
    owner, admin = make_member(application, own, OWNER), make_member(application, own, ADMIN)
    self = caller(application, own, owner)
    make_invitation(application, own, admin, "kept-by-owner@example.com", MEMBER)
    kept = make_invitation(application, own, owner, "kept@example.com", OWNER)[0]
    change_role(application, self, admin, MEMBER)
    assert [view.id for view in list_invitations(application, self)] == [kept]

    second = make_member(application, own, OWNER)
    lesser = make_invitation(application, own, second, "lesser@example.com", ADMIN)[0]
    make_invitation(application, own, second, "too-much@example.com", OWNER)
    change_role(application, self, second, ADMIN)
    assert {view.id for view in list_invitations(application, self)} == {kept, lesser}
    end_membership(application, self, second)
    assert [view.id for view in list_invitations(application, self)] == [kept]
    assert acts(application).count("invitation.revoked") == 3


class Memberships(RuleBasedStateMachine):
    """People who join, change each other, invite and go, against the rules written down once more."""

    PEOPLE = 4
    who = some.integers(0, PEOPLE - 1)

    def __init__(self, application):
        super().__init__()
        self.application = application
        self.own = register_organisation(application.control)
        self.accounts = [make_account(application) for _ in range(self.PEOPLE)]
        join(application, self.own, self.accounts[0], OWNER)
        self.links = {}
        self.before = self.roles()

    def roles(self):
        """What the database says that everybody is."""
        with self.application.control.read() as session:
            rows = session.execute(
                select(Membership.account_id, Membership.role).where(Membership.organisation_id == self.own)
            )
            found = {row.account_id: Role(row.role) for row in rows}
        return [found.get(account) for account in self.accounts]

    def rank(self, one):
        return self.before[one].rank if self.before[one] else 0

    def caller(self, one):
        return Caller(self.own, self.before[one], self.accounts[one], confirmed=True)

    def is_last(self, one):
        return self.before[one] is OWNER and self.before.count(OWNER) == 1

    @rule(one=who, other=who, role=some.sampled_from(Role))
    def change(self, one, other, role):
        got = outcome(lambda: change_role(self.application, self.caller(one), self.accounts[other], role))
        may = self.rank(one) >= ADMIN.rank and self.rank(one) >= max(self.rank(other), role.rank)
        expected = list(self.before)
        if may and self.before[other] and not (self.is_last(other) and role is not OWNER):
            expected[other] = role
            assert got is None
        else:
            assert got in {"not_found", "forbidden", "last_owner"}
        self.check(expected)

    @rule(one=who, other=who)
    def end(self, one, other):
        got = outcome(lambda: end_membership(self.application, self.caller(one), self.accounts[other]))
        above = self.rank(one) >= ADMIN.rank and self.rank(one) >= self.rank(other)
        expected = list(self.before)
        if self.before[one] and self.before[other] and (one == other or above) and not self.is_last(other):
            expected[other] = None
            assert got is None
        else:
            assert got in {"not_found", "forbidden", "last_owner"}
        self.check(expected)

    @rule(one=who, other=who, role=some.sampled_from(Role))
    def ask(self, one, other, role):
        with self.application.control.read() as session:
            email = session.scalar(select(Account.email).where(Account.id == self.accounts[other]))
        try:
            view = invite(self.application, self.caller(one), email, role)
        except Refused:
            return
        assert self.rank(one) >= max(ADMIN.rank, role.rank)
        assert self.before[other] is None
        self.links[other] = (self.application.keyring.token(INVITATION, view.id), one, role)

    @rule(one=who)
    def accept(self, one):
        if one not in self.links:
            return
        token, inviter, role = self.links.pop(one)
        person = Person(self.accounts[one], new_id(), confirmed=True)
        got = outcome(lambda: accept_invitation(self.application, token, person, Newcomer()))
        expected = list(self.before)
        # It may have been revoked, but if it holds, its sender still stands at or above what it grants.
        if got is None and self.before[one] is None:
            assert self.rank(inviter) >= max(ADMIN.rank, role.rank)
            expected[one] = role
        assert got in {None, "link_over"}
        self.check(expected)

    def check(self, expected):
        self.before = self.roles()
        assert self.before == expected

    @invariant()
    def there_is_an_owner(self):
        assert OWNER in self.roles()


def test_no_sequence_of_changes_leaves_no_owner_or_raises_anybody_above_the_granter(application):
    run_state_machine_as_test(
        lambda: Memberships(application),
        settings=settings(max_examples=many(20), stateful_step_count=25, suppress_health_check=list(HealthCheck)),
    )
