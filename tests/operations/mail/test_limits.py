"""How many mails a mailbox gets: of each kind that strangers can cause a few, whoever asks and from wherever."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from pigi.domain.access import Caller, Role
from pigi.domain.mail import Template
from pigi.domain.throttles import MAIL_LIMITS, Bucket
from pigi.operations.jobs import retry_job
from pigi.operations.mail.ledger import MAIL
from pigi.operations.organisations import invite, list_invitations, resend_invitation
from pigi.store.ledgers import Throttle
from standins.mail.faults import FaultyMail, greylist
from tests.support.jobs import register_organisation
from tests.support.mail import Office
from tests.support.people import make_account, make_member

VICTIM = "victim@example.org"
HELD = ("failed", "mail_held_back")
STRANGERS = {
    Template.INVITATION, Template.WELCOME, Template.ALREADY_REGISTERED, Template.PASSWORD_RESET,
    Template.CONFIRM_ADDRESS, Template.TICKET_RECEIVED,
}  # fmt: skip


@pytest.fixture
def office(application):
    with FaultyMail() as sink:
        yield Office(application, sink)


def spelt(number):
    return (VICTIM, f"Victim+{number}@Example.org", f"victim+a{number}@example.org", "VICTIM+@example.org")[number % 4]


def outcome(job):
    return job.state, job.reason


def test_every_kind_of_mail_has_a_limit_or_says_why_it_needs_none():
    assert set(MAIL_LIMITS) == set(Template)
    assert all(MAIL_LIMITS.values())
    counted = {template for template, limit in MAIL_LIMITS.items() if isinstance(limit, Bucket)}
    assert counted >= STRANGERS
    assert all(MAIL_LIMITS[template].burst <= 10 for template in STRANGERS)


def test_forty_organisations_invite_one_mailbox_and_a_few_mails_arrive(office, control):
    limit = MAIL_LIMITS[Template.INVITATION]
    done = []
    for number in range(40):
        mail = office.invitation(register_organisation(control), Role.MEMBER, email=spelt(number))
        done.append(outcome(office.do(mail)))
    assert done == [("succeeded", None)] * limit.burst + [HELD] * (40 - limit.burst)
    assert len(office.sink.arrivals) == limit.burst
    assert (
        outcome(office.do(office.invitation(register_organisation(control), Role.MEMBER, email="other@example.org")))[1]
        is None
    )
    assert outcome(office.do(office.welcome(VICTIM)))[1] is None


@pytest.mark.parametrize("template", [Template.WELCOME, Template.PASSWORD_RESET, Template.CONFIRM_ADDRESS])
def test_so_it_is_with_what_strangers_type(office, template):
    burst = MAIL_LIMITS[template].burst
    account = make_account(office.application, email=VICTIM if template is Template.PASSWORD_RESET else "a@example.org")

    def ask(number):
        if template is Template.WELCOME:
            return office.welcome(spelt(number))
        if template is Template.PASSWORD_RESET:
            return office.link(template, VICTIM)
        return office.link(template, spelt(number), account)

    done = [outcome(office.do(ask(number))) for number in range(burst + 2)]
    assert done == [("succeeded", None)] * burst + [HELD] * 2
    assert len(office.sink.arrivals) == burst


def test_who_invites_sees_that_the_mail_was_held_back_and_can_send_it_again_later(office, control):
    own = register_organisation(control)
    caller = Caller(own, Role.OWNER, make_member(office.application, own, Role.OWNER))
    made = invite(office.application, caller, VICTIM, Role.MEMBER)
    assert made.mail == "queued"
    for _ in range(MAIL_LIMITS[Template.INVITATION].burst):
        office.do(office.invitation(register_organisation(control), Role.MEMBER, email=VICTIM))
    (first,) = mails_of(office, made.id)
    office.do(first)
    assert [view.mail for view in list_invitations(office.application, caller)] == ["held_back"]
    retry_job(office.application, office.mail(first, job=True), None, None)
    assert outcome(office.do(first)) == HELD
    pass_hours(office)
    assert resend_invitation(office.application, caller, made.id).mail == "queued"
    office.do(mails_of(office, made.id)[-1])
    assert [view.mail for view in list_invitations(office.application, caller)] == ["sent"]


def test_a_try_that_the_server_put_off_is_not_counted(office, control):
    own = register_organisation(control)
    mail = office.invitation(own, Role.MEMBER, email=VICTIM)
    tries = MAIL_LIMITS[Template.INVITATION].burst + 1
    office.sink.plan(VICTIM, *[greylist() for _ in range(tries)])
    for _ in range(tries):
        assert office.again(mail).state == "retrying"
    assert outcome(office.again(mail)) == ("succeeded", None)


def mails_of(office, invitation):
    with office.control.autocommit() as connection:
        query = select(MAIL.c.id).where(MAIL.c.subject_id == invitation).order_by(MAIL.c.id)
        return connection.execute(query).scalars().all()


def pass_hours(office):
    with office.control.transaction() as connection:
        keys = connection.execute(delete(Throttle).returning(Throttle.key)).scalars().all()
    office.application.refusals.forget(keys)
