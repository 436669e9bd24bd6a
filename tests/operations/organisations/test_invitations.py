"""Invitations: one open link an address, for that address alone, used up by joining and by nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from pigi.clock import now
from pigi.domain.access import Action, Person, Role
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.access import authorise, role_in
from pigi.operations.accounts import find_person
from pigi.operations.credentials import INVITATION, mailed_token
from pigi.operations.organisations import (
    Newcomer,
    accept_invitation,
    invite,
    list_invitations,
    read_invitation,
    resend_invitation,
    revoke_invitation,
)
from pigi.store.control import Job
from pigi.store.ledgers import AuditEntry, Mail
from pigi.store.people import Account, Invitation, Membership
from tests.support.jobs import register_organisation
from tests.support.people import join, make_account, make_member

ADDRESS = "new@example.com"
PASSWORD = "lantern orbit meadow 41"


@pytest.fixture
def own(control):
    return register_organisation(control)


@pytest.fixture
def owner(application, own):
    person = Person(make_member(application, own, Role.OWNER), new_id(), confirmed=True)
    return authorise(application, person, own, Action.INVITATIONS_CHANGE)


def link(application, invitation_id):
    """The token as the worker finds it when it writes the mail."""
    with application.control.read() as session:
        kept = session.scalar(select(Invitation.token_hash).where(Invitation.id == invitation_id))
    return mailed_token(application.keyring, INVITATION, invitation_id, kept)


def invited(application, owner, email=ADDRESS, role=Role.MEMBER):
    return link(application, invite(application, owner, email, role).id)


def rows(application, *columns):
    with application.control.read() as session:
        return [tuple(row) for row in session.execute(select(*columns))]


def refusal_of(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def age(application, invitation_id):
    """Let an invitation expire."""
    with application.control.begin() as session:
        past = now() - timedelta(seconds=1)
        session.execute(update(Invitation).where(Invitation.id == invitation_id).values(expires_at=past))


def test_inviting_writes_a_row_and_queues_one_mail(application, own, owner):
    view = invite(application, owner, " New@Example.com ", Role.ADMIN)
    assert (view.email, view.role, view.invited_by) == ("New@example.com", Role.ADMIN, owner.account_id)
    assert view.expires_at - view.created_at == timedelta(days=14)
    assert list_invitations(application, owner) == [view]
    assert rows(application, Mail.template, Mail.subject_id, Mail.organisation_id) == [("invitation", view.id, own)]
    assert rows(application, Job.kind, Job.organisation_id, Job.requested_by) == [("mail.send", own, owner.name)]
    assert rows(application, AuditEntry.kind) == [("invitation.made",)]


def test_the_row_keeps_no_token(application, owner):
    token = invited(application, owner)
    assert all(token not in str(row) for row in rows(application, *Invitation.__table__.c))


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.com", "a@example.com\r\nBcc: b@example.com"])
def test_what_is_no_address_is_not_invited(application, owner, email):
    assert refusal_of(lambda: invite(application, owner, email, Role.MEMBER)) == "invalid_address"


def test_inviting_again_replaces_the_role_and_keeps_one_link(application, owner):
    first = invite(application, owner, ADDRESS, Role.MEMBER)
    token = link(application, first.id)
    second = invite(application, owner, ADDRESS.upper(), Role.ADMIN)
    assert [view.role for view in list_invitations(application, owner)] == [Role.ADMIN]
    assert (second.id, link(application, second.id)) == (first.id, token)
    assert read_invitation(application, token).role is Role.ADMIN
    assert len(rows(application, Mail.id)) == 2


def test_sending_again_begins_the_days_anew(application, owner):
    view = invite(application, owner, ADDRESS, Role.MEMBER)
    token = link(application, view.id)
    with application.control.begin() as session:
        earlier = now() - timedelta(days=13)
        session.execute(update(Invitation).values(created_at=earlier, expires_at=earlier + timedelta(days=14)))
    again = resend_invitation(application, owner, view.id)
    assert again.expires_at > now() + timedelta(days=13)
    assert link(application, again.id) == token
    assert len(rows(application, Mail.id)) == 2


def test_members_are_not_invited(application, own, owner):
    account = make_account(application, email=ADDRESS)
    join(application, own, account)
    assert refusal_of(lambda: invite(application, owner, ADDRESS.title(), Role.ADMIN)) == "already_member"


def test_nobody_invites_sends_again_or_revokes_above_their_own_role(application, own, owner):
    admin = authorise(
        application, Person(make_member(application, own, Role.ADMIN), new_id()), own, Action.INVITATIONS_CHANGE
    )
    assert refusal_of(lambda: invite(application, admin, ADDRESS, Role.OWNER)) == "forbidden"
    above = invite(application, owner, ADDRESS, Role.OWNER)
    assert refusal_of(lambda: invite(application, admin, ADDRESS, Role.MEMBER)) == "forbidden"
    assert refusal_of(lambda: resend_invitation(application, admin, above.id)) == "forbidden"
    assert refusal_of(lambda: revoke_invitation(application, admin, above.id)) == "forbidden"
    assert list_invitations(application, admin) == [above]


def test_an_organisation_sends_so_many_a_day(application, own, owner):
    object.__setattr__(application.settings, "invitations_per_day", 2)
    first = invite(application, owner, "one@example.com", Role.MEMBER)
    resend_invitation(application, owner, first.id)
    for act in (
        lambda: invite(application, owner, "two@example.com", Role.MEMBER),
        lambda: resend_invitation(application, owner, first.id),
    ):
        assert refusal_of(act) == "too_many_today"
    assert list_invitations(application, owner)[0].email == "one@example.com"
    assert len(rows(application, Mail.id)) == 2


def test_looking_uses_nothing_up(application, own, owner):
    token = invited(application, owner)
    offers = [read_invitation(application, token) for _ in range(3)]
    assert len({(offer.organisation_id, offer.email, offer.role, offer.has_account) for offer in offers}) == 1
    assert (offers[0].organisation_id, offers[0].email, offers[0].has_account) == (own, ADDRESS, False)


def test_whoever_has_the_address_joins(application, own, owner):
    token = invited(application, owner, role=Role.ADMIN)
    account = make_account(application, email=ADDRESS.upper())
    assert read_invitation(application, token).has_account
    joined = accept_invitation(application, token, Person(account, new_id()), Newcomer())
    assert (joined.organisation_id, joined.role, joined.cookie) == (own, Role.ADMIN, None)
    assert role_in(application, account, own) is Role.ADMIN
    assert list_invitations(application, owner) == []
    assert rows(application, AuditEntry.kind)[-1] == ("member.joined",)


def test_nobody_else_joins(application, own, owner):
    token = invited(application, owner)
    other = Person(make_account(application), new_id())
    operator = Person(make_account(application, operator=True), new_id(), operator=True)
    assert refusal_of(lambda: accept_invitation(application, token, other, Newcomer())) == "invitation_for_another"
    assert refusal_of(lambda: accept_invitation(application, token, operator, Newcomer())) == "not_for_operators"
    assert read_invitation(application, token).organisation_id == own


def test_a_newcomer_gets_an_account_and_is_signed_in(application, own, owner):
    token = invited(application, owner)
    joined = accept_invitation(application, token, None, Newcomer("Nora New", PASSWORD))
    person = find_person(application, joined.cookie)
    assert role_in(application, person.account_id, own) is Role.MEMBER
    assert (person.operator, rows(application, Account.name, Account.email)[-1]) == (False, ("Nora New", ADDRESS))
    assert {kind for (kind,) in rows(application, AuditEntry.kind)} == {
        "invitation.made",
        "account.registered",
        "member.joined",
        "session.signed_in",
    }


def test_a_newcomer_brings_a_name_and_a_good_password(application, owner):
    token = invited(application, owner)
    with pytest.raises(Refused, match="invalid") as refused:
        accept_invitation(application, token, None, Newcomer("Nora New"))
    assert [flaw["pointer"] for flaw in refused.value.details["errors"]] == ["/password"]
    weak = Newcomer("Nora New", "password1234")
    assert refusal_of(lambda: accept_invitation(application, token, None, weak)) == "password_weak"
    assert not read_invitation(application, token).has_account


def test_a_link_signs_nobody_in_to_an_account_that_exists(application, owner):
    token = invited(application, owner)
    make_account(application, email=ADDRESS)
    newcomer = Newcomer("Mallory", PASSWORD)
    assert refusal_of(lambda: accept_invitation(application, token, None, newcomer)) == "unauthenticated"


@pytest.mark.parametrize("how", ["used", "revoked", "expired", "unknown", "malformed", "closed"])
def test_a_link_that_is_over_is_over(application, own, owner, how):
    view = invite(application, owner, ADDRESS, Role.MEMBER)
    token = link(application, view.id)
    person = Person(make_account(application, email=ADDRESS), new_id())
    if how == "used":
        accept_invitation(application, token, person, Newcomer())
    elif how == "revoked":
        revoke_invitation(application, owner, view.id)
    elif how == "expired":
        age(application, view.id)
    elif how == "closed":
        with application.control.begin() as session:
            session.connection().exec_driver_sql("UPDATE organisation SET state = 'deleting'")
    else:
        token = "A" * 43 if how == "unknown" else "../" + token
    assert refusal_of(lambda: read_invitation(application, token)) == "link_over"
    assert refusal_of(lambda: accept_invitation(application, token, person, Newcomer())) == "link_over"


def test_an_expired_link_stays_dead_when_the_address_is_invited_again(application, owner):
    view = invite(application, owner, ADDRESS, Role.MEMBER)
    token = link(application, view.id)
    age(application, view.id)
    assert list_invitations(application, owner) == []
    assert refusal_of(lambda: resend_invitation(application, owner, view.id)) == "not_found"
    fresh = invited(application, owner)
    assert fresh != token
    assert refusal_of(lambda: read_invitation(application, token)) == "link_over"


def test_another_organisations_invitations_are_not_found(application, owner, control):
    other = register_organisation(control)
    person = Person(make_member(application, other, Role.OWNER), new_id())
    stranger = authorise(application, person, other, Action.INVITATIONS_CHANGE)
    view = invite(application, owner, ADDRESS, Role.MEMBER)
    assert list_invitations(application, stranger) == []
    assert refusal_of(lambda: resend_invitation(application, stranger, view.id)) == "not_found"
    assert refusal_of(lambda: revoke_invitation(application, stranger, view.id)) == "not_found"


def test_whoever_belongs_there_already_stays_what_they_are(application, own, owner):
    token = invited(application, owner)
    account = make_account(application, email=ADDRESS)
    join(application, own, account, Role.ADMIN)
    joined = accept_invitation(application, token, Person(account, new_id()), Newcomer())
    assert joined.role is role_in(application, account, own) is Role.ADMIN
    assert refusal_of(lambda: read_invitation(application, token)) == "link_over"


@pytest.mark.parametrize("newcomer", [None, Newcomer("Nora New", PASSWORD)])
def test_joining_twice_at_the_same_moment_joins_once(application, own, owner, newcomer):
    token = invited(application, owner)
    person = None if newcomer else Person(make_account(application, email=ADDRESS), new_id())

    def go(_number):
        try:
            return accept_invitation(application, token, person, newcomer or Newcomer()).role
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(2) as threads:
        got = list(threads.map(go, range(2)))
    assert Role.MEMBER in got
    assert set(got) <= {Role.MEMBER, "link_over", "unauthenticated"}
    with application.control.read() as session:
        assert session.scalar(select(func.count()).select_from(Membership)) == 2
