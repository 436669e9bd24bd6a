"""Mails from the request to the mailbox: who gets what, what fails as moot, and what the ledger says after any end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from pigi.clock import now
from pigi.domain.access import Caller, Role
from pigi.domain.mail import MAIL_TEMPLATES, Promise, Template, wait_before_try
from pigi.errors import Misconfigured, Refused
from pigi.jobs.execution.attempt import run
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kind import Delivery
from pigi.jobs.kinds import SEND_MAIL
from pigi.jobs.recovery.rescue import rescue
from pigi.operations.credentials import INVITATION, RESET, WELCOME
from pigi.operations.jobs import cancel_job, retry_job
from pigi.operations.mail import list_mails, queue_mail
from pigi.operations.mail.ledger import address_hash
from pigi.store.control import Organisation
from pigi.store.people import Account, AccountToken, ApiKey, Invitation, Membership, Registration
from standins.mail.faults import FaultyMail, answer, drop, greylist
from tests.support.jobs import change, lapse, raise_epoch, register_organisation, row_of
from tests.support.mail import HOME, Office
from tests.support.people import an_address, make_account, make_key_row


@pytest.fixture
def office(application):
    with FaultyMail() as sink:
        yield Office(application, sink)


@pytest.fixture
def organisation(control):
    return register_organisation(control)


def ended(job):
    return job.state, job.reason


def the_mail(office, email):
    (parcel,) = office.sink.outbox.parcels(email)
    return parcel


# Who gets what


def test_a_registration_is_welcomed_with_a_link_that_is_its_own(office):
    mail = office.welcome("rita@example.org")
    assert ended(office.do(mail)) == ("succeeded", None)
    token = office.token(WELCOME, office.mail(mail).subject_id)
    assert the_mail(office, "rita@example.org").links == [f"{HOME}/welcome/{token}", HOME]
    assert (office.state(mail), office.mail(mail).ended_at is not None) == ("sent", True)


def test_a_welcome_does_not_carry_the_name_that_a_stranger_typed(office):
    office.do(office.welcome("rita@example.org", name="Win at evil"))
    assert b"evil" not in the_mail(office, "rita@example.org").source


def test_an_address_with_an_account_is_mailed_that_and_gets_no_link_to_confirm(office):
    make_account(office.application, email="Rita@example.org")
    mail = office.welcome("rita@EXAMPLE.org")
    assert ended(office.do(mail)) == ("succeeded", None)
    assert the_mail(office, "Rita@example.org").links == [f"{HOME}/sign-in", f"{HOME}/forgot-password", HOME]
    assert (office.mail(mail).template, office.state(mail)) == ("already-registered", "sent")


def test_an_invitation_says_who_invites_where_to_and_as_what(office, organisation):
    mail = office.invitation(organisation, Role.ADMIN, inviter="Ada <Lund>", email="guest@example.org")
    office.do(mail)
    parcel = the_mail(office, "guest@example.org")
    assert "“Ada <Lund>” invites you to join the organisation “Test”" in parcel.part("plain")
    assert "as an admin" in " ".join(parcel.part("plain").split())
    assert parcel.links[0] == f"{HOME}/invitations/{office.token(INVITATION, office.mail(mail).subject_id)}"
    assert "Lund" not in parcel.subject


def test_a_reset_goes_to_the_address_of_the_account_and_not_to_what_was_typed(office):
    account = make_account(office.application, email="strasse@example.org")
    mail = office.link(Template.PASSWORD_RESET, "strasse@example.org", spelt="straße@example.org")
    assert ended(office.do(mail)) == ("succeeded", None)
    parcel = the_mail(office, "strasse@example.org")
    row_id = office.mail(mail).subject_id
    assert parcel.links[0] == f"{HOME}/reset-password/{office.token(RESET, row_id)}"
    with office.control.read() as session:
        assert session.get(AccountToken, row_id).account_id == account


def test_a_reset_for_an_address_without_an_account_sends_nothing_and_leaves_nothing(office):
    mail = office.link(Template.PASSWORD_RESET, "nobody@example.org")
    job = office.mail(mail, job=True)
    assert ended(office.do(mail)) == ("succeeded", None)
    assert office.sink.arrivals == []
    assert office.mail(mail) is None
    with office.control.read() as session:
        assert session.scalars(select(AccountToken)).all() == []
    # The worker may have died before the job's end.
    change(office.control, job, state="queued", finished_at=None)
    run(HANDLERS["mail.send"], job, office.worker_context)
    assert ended(row_of(office.control, job)) == ("succeeded", None)


def test_a_reset_for_a_disabled_account_sends_nothing(office):
    office.disable(make_account(office.application, email="off@example.org"))
    mail = office.link(Template.PASSWORD_RESET, "off@example.org")
    office.do(mail)
    assert (office.sink.arrivals, office.mail(mail)) == ([], None)


def test_a_change_of_address_is_confirmed_at_the_new_one_and_notified_to_the_old_one(office):
    account = make_account(office.application, email="old@example.org")
    confirm = office.link(Template.CONFIRM_ADDRESS, "new@example.org", account)
    tell = office.link(Template.ADDRESS_CHANGED, "old@example.org", account)
    held = office.mail(tell).subject_id
    assert [ended(office.do(mail)) for mail in (confirm, tell)] == [("succeeded", None)] * 2
    assert the_mail(office, "new@example.org").links[0].startswith(f"{HOME}/confirm-address/")
    told = the_mail(office, "old@example.org")
    assert told.links == [f"{HOME}/forgot-password", HOME]
    assert "until the new one is confirmed" in told.part("plain")
    with office.control.read() as session:
        assert session.get(AccountToken, held) is None
        assert session.get(AccountToken, office.mail(confirm).subject_id) is not None


def test_the_notice_to_the_old_address_says_that_the_change_is_done_if_it_is(office):
    account = make_account(office.application, email="new@example.org")
    office.do(office.link(Template.ADDRESS_CHANGED, "old@example.org", account))
    told = the_mail(office, "old@example.org")
    assert "was changed" in told.part("plain")
    assert told.links == [HOME, HOME]


def test_a_new_password_is_notified_to_the_account(office):
    mail = office.password_changed("ada@example.org")
    office.do(mail)
    assert the_mail(office, "ada@example.org").links == [f"{HOME}/forgot-password", HOME]
    assert office.effects(mail)["notice"].state == "done"


def test_everybody_who_may_rotate_an_expiring_key_gets_a_mail_of_their_own(office, organisation):
    key, _ = make_key_row(office.application, organisation)
    addresses = [an_address() for _ in range(2)]
    accounts = [office.member(organisation, Role.OWNER, address) for address in addresses]
    mails = [
        office.queue("key-expiring", key, address, organisation_id=organisation, recipient_id=account)
        for address, account in zip(addresses, accounts, strict=True)
    ]
    assert [ended(office.do(mail)) for mail in mails] == [("succeeded", None)] * 2
    for address in addresses:
        assert the_mail(office, address).links == [f"{HOME}/o/{organisation}/api-keys", HOME]
    (parcel,) = office.sink.outbox.parcels(addresses[0])
    assert "“tests”" in parcel.part("plain")


# What has gone meanwhile


def gone(table, **values):
    """Something that happens to a mail's subject before the mail is written."""

    def happen(office, mail):
        subject = office.mail(mail).subject_id
        statement = update(table).values(**values) if values else delete(table)
        with office.control.begin() as session:
            session.execute(statement.where(table.id == subject))

    return happen


PAST = now() - timedelta(minutes=1)
MOOT = {
    "a registration that was confirmed": ("welcome", gone(Registration)),
    "a registration that expired": ("welcome", gone(Registration, expires_at=PAST)),
    "an invitation that was revoked": ("invitation", gone(Invitation)),
    "an invitation that expired": ("invitation", gone(Invitation, expires_at=PAST)),
    "an account that is gone": ("password-changed", gone(Account)),
    "an account that is disabled": ("password-changed", gone(Account, state="disabled")),
    "a link that was used": ("password-reset", gone(AccountToken)),
    "a link that expired": ("password-reset", gone(AccountToken, expires_at=PAST)),
    "a key that was revoked": ("key-expiring", gone(ApiKey, revoked_at=PAST)),
}


def ask_for(office, organisation, template):
    """A mail of that template; its id and address."""
    email = an_address()
    if template == "welcome":
        return office.welcome(email), email
    if template == "invitation":
        return office.invitation(organisation, Role.MEMBER, email=email), email
    if template == "password-changed":
        return office.password_changed(email), email
    if template == "password-reset":
        make_account(office.application, email=email)
        return office.link(Template.PASSWORD_RESET, email), email
    key, _ = make_key_row(office.application, organisation)
    heartbeat = office.member(organisation, Role.ADMIN, email)
    return office.queue(template, key, email, organisation_id=organisation, recipient_id=heartbeat), email


@pytest.mark.parametrize(("template", "happen"), MOOT.values(), ids=MOOT)
def test_a_mail_about_what_is_gone_fails_as_moot(office, organisation, template, happen):
    mail, _ = ask_for(office, organisation, template)
    happen(office, mail)
    assert ended(office.do(mail)) == ("failed", "mail_moot")
    assert (office.state(mail), office.effects(mail), office.sink.arrivals) == ("failed", {}, [])


@pytest.mark.parametrize("role", [None, Role.MEMBER])
def test_whoever_may_no_longer_see_the_keys_gets_no_mail_about_them(office, organisation, role):
    mail, _ = ask_for(office, organisation, "key-expiring")
    with office.control.begin() as session:
        session.execute(delete(Membership) if role is None else update(Membership).values(role=role))
    assert ended(office.do(mail)) == ("failed", "mail_moot")


def test_an_organisation_that_was_deleted_sends_nothing(office, organisation):
    mail, _ = ask_for(office, organisation, "invitation")
    raise_epoch(office.control, organisation)
    assert ended(office.do(mail)) == ("cancelled", "fenced")
    assert (office.state(mail), office.sink.arrivals) == ("failed", [])


def test_an_organisation_that_is_closed_can_ask_for_no_mail(office, organisation):
    with office.control.begin() as session:
        session.execute(update(Organisation).values(state="deleted"))
    with pytest.raises(Refused) as refusal:
        office.invitation(organisation, Role.MEMBER)
    assert refusal.value.code == "organisation_closed"


def test_a_cancelled_mail_is_not_sent(office):
    mail = office.welcome()
    cancel_job(office.application, office.mail(mail, job=True), None)
    assert ended(office.do(mail)) == ("cancelled", "cancelled")
    assert (office.state(mail), office.sink.arrivals) == ("failed", [])


# Failures, and what the ledger says


BOTH = [("welcome", "mail"), ("password-changed", "notice")]


@pytest.mark.parametrize(("template", "effect"), BOTH)
@pytest.mark.parametrize("behaviour", [greylist(), answer("end", "451 Not now"), drop("rcpt")])
def test_what_certainly_sent_nothing_is_tried_again_and_leaves_no_trace(office, template, effect, behaviour):
    mail, email = ask_for(office, None, template)
    office.sink.plan(email, behaviour, behaviour)
    assert office.do(mail).state == "retrying"
    assert (office.effects(mail), office.state(mail)) == ({}, "queued")
    assert office.again(mail).state == "retrying"
    assert ended(office.again(mail)) == ("succeeded", None)
    assert (office.effects(mail)[effect].tries, office.state(mail), office.arrived(email)) == (1, "sent", 1)


@pytest.mark.parametrize(("template", "effect"), BOTH)
@pytest.mark.parametrize("stage", ["rcpt", "end"])
def test_a_refusal_is_final_and_sent_nothing(office, template, effect, stage):
    mail, email = ask_for(office, None, template)
    office.sink.plan(email, answer(stage, "550 5.1.1 No such user"))
    assert ended(office.do(mail)) == ("failed", "mail_refused")
    assert (office.state(mail), office.effects(mail)) == ("failed", {})


@pytest.mark.parametrize(("behaviour", "arrived"), [(drop("taken"), 1), (drop("end"), 0)])
def test_a_mail_that_somebody_waits_for_is_never_sent_twice_and_says_that_it_is_unknown(office, behaviour, arrived):
    mail = office.welcome("rita@example.org")
    office.sink.plan("rita@example.org", behaviour)
    assert ended(office.do(mail)) == ("failed", "mail_unknown")
    assert (office.state(mail), office.effects(mail)["mail"].state) == ("unknown", "unknown")
    retry_job(office.application, office.mail(mail, job=True), None, None)
    assert ended(office.do(mail)) == ("failed", "mail_unknown")
    assert (office.arrived("rita@example.org"), office.state(mail)) == (arrived, "unknown")


def test_a_mail_that_must_not_be_lost_is_sent_again_under_the_same_message_id(office):
    mail = office.password_changed("ada@example.org")
    office.sink.plan("ada@example.org", drop("taken"))
    job = office.do(mail)
    assert (job.state, job.reason) == ("retrying", "mail_unconfirmed")
    assert ended(office.again(mail)) == ("succeeded", None)
    assert office.effects(mail)["notice"].tries == 2
    first, second = office.sink.arrived("ada@example.org")
    assert first.message_id == second.message_id == f"<{mail}@pigi.example>"
    assert office.state(mail) == "sent"


def test_a_mail_that_must_not_be_lost_is_in_doubt_three_times_at_most(office):
    mail = office.password_changed("ada@example.org")
    office.sink.usual = lambda _recipient, _number: drop("taken")
    assert [office.do(mail).state, office.again(mail).state, office.again(mail).state] == ["retrying"] * 3
    assert ended(office.again(mail)) == ("failed", "mail_unknown")
    assert (office.arrived("ada@example.org"), office.state(mail)) == (3, "unknown")


def test_a_doubt_is_not_forgotten_when_a_later_try_is_certain(office):
    mail = office.password_changed("ada@example.org")
    office.sink.plan("ada@example.org", drop("end"), answer("end", "554 Not this"))
    office.do(mail)
    assert ended(office.again(mail)) == ("failed", "mail_refused")
    assert (office.state(mail), office.effects(mail)["notice"].state) == ("unknown", "unknown")


def test_after_a_retry_by_hand_the_ledger_says_queued_until_it_has_ended(office):
    mail = office.welcome("rita@example.org")
    office.sink.plan("rita@example.org", answer("rcpt", "550 No"), greylist())
    office.do(mail)
    assert office.state(mail) == "failed"
    retry_job(office.application, office.mail(mail, job=True), None, None)
    assert office.do(mail).state == "retrying"
    assert (office.state(mail), office.mail(mail).ended_at) == ("queued", None)
    assert ended(office.again(mail)) == ("succeeded", None)
    assert office.state(mail) == "sent"


def test_a_mail_waits_while_no_mail_server_is_set_up(office):
    class Unset:
        @property
        def mailer(self):
            raise Misconfigured(["SMTP_URL must be set"])

    mail = office.welcome("rita@example.org")
    equipped = office.worker_context.gateways
    object.__setattr__(office.worker_context, "gateways", Unset())
    assert (office.do(mail).state, row_of(office.control, office.mail(mail, job=True)).reason) == (
        "retrying",
        "mail_unconfigured",
    )
    object.__setattr__(office.worker_context, "gateways", equipped)
    assert ended(office.again(mail)) == ("succeeded", None)


# A worker that dies


class Died(BaseException):
    """Stands for kill -9: nothing after it runs."""


def die(office, mail, monkeypatch, at):
    """Do the mail and lose the worker at a moment; then its lease lapses."""

    def vanish(*_given, **_named):
        raise Died

    with monkeypatch.context() as patched:
        at(patched, vanish)
        with pytest.raises(Died):
            office.do(mail)
    lapse(office.control, office.mail(mail, job=True))
    rescue(office.control)


MOMENTS = {
    "before it connects": lambda patched, vanish: patched.setattr("pigi.gateways.smtp_line.Line.open", vanish),
    "before the doubt": lambda patched, vanish: patched.setattr(
        "pigi.jobs.execution.context.JobContext.begin_effect", vanish
    ),
    "in doubt, nothing sent": lambda patched, vanish: patched.setattr("pigi.gateways.smtp_line.Line.hand_over", vanish),
    "sent, not recorded": lambda patched, vanish: patched.setattr(
        "pigi.jobs.execution.context.JobContext.complete_effect", vanish
    ),
    "recorded, not closed": lambda patched, vanish: patched.setattr("pigi.jobs.execution.claims.extend", vanish),
    "closed, not ended": lambda patched, vanish: patched.setattr("pigi.jobs.execution.claims.finish_and_claim", vanish),
}
SENT_TWICE = {"sent, not recorded"}
DOUBTED = {"in doubt, nothing sent", "sent, not recorded"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_dies_over_a_mail_that_somebody_waits_for(office, monkeypatch, moment):
    mail = office.welcome("rita@example.org")
    die(office, mail, monkeypatch, MOMENTS[moment])
    job = office.do(mail)
    if moment in DOUBTED:
        assert (ended(job), office.state(mail)) == (("failed", "mail_unknown"), "unknown")
        assert office.arrived("rita@example.org") == (moment in SENT_TWICE)
    else:
        assert (ended(job), office.state(mail)) == (("succeeded", None), "sent")
        assert office.arrived("rita@example.org") == 1


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_dies_over_a_mail_that_must_not_be_lost(office, monkeypatch, moment):
    mail = office.password_changed("ada@example.org")
    die(office, mail, monkeypatch, MOMENTS[moment])
    assert (ended(office.do(mail)), office.state(mail)) == (("succeeded", None), "sent")
    assert office.arrived("ada@example.org") == 1 + (moment in SENT_TWICE)


def test_a_worker_that_lost_its_job_sends_nothing(office, monkeypatch):
    mail = office.welcome("rita@example.org")
    whole = office.mailer.send

    def slowly(letter, on_commit):
        job = office.mail(mail, job=True)
        change(office.control, job, lease_token="another")
        return whole(letter, on_commit)

    monkeypatch.setattr(office.mailer, "send", slowly)
    office.do(mail)
    assert (office.sink.arrivals, office.effects(mail), office.state(mail)) == ([], {}, "queued")


def test_a_cancel_that_comes_amid_the_sending_stops_it_before_the_doubt(office, monkeypatch):
    mail = office.welcome("rita@example.org")
    whole = office.mailer.send

    def cancelled(letter, on_commit):
        cancel_job(office.application, office.mail(mail, job=True), None)
        return whole(letter, on_commit)

    monkeypatch.setattr(office.mailer, "send", cancelled)
    assert ended(office.do(mail)) == ("cancelled", "cancelled")
    assert (office.sink.arrivals, office.state(mail)) == ([], "failed")


# The ledger


def test_the_ledger_holds_no_address_no_text_and_no_link(office, organisation):
    mail = office.invitation(organisation, Role.MEMBER, inviter="Marker Person", email="marker@example.org")
    office.do(mail)
    row = str(office.mail(mail)).lower()
    assert "marker" not in row
    assert office.token(INVITATION, office.mail(mail).subject_id) not in row
    assert office.mail(mail).address_hash == address_hash(office.application, "marker@example.org")


def test_an_organisation_sees_its_own_mails_newest_first_and_how_they_ended(office, organisation):
    other = register_organisation(office.control)
    mails = [office.invitation(organisation, Role.MEMBER) for _ in range(3)]
    foreign, ownerless = office.invitation(other, Role.MEMBER), office.welcome()
    for mail in (mails[0], foreign, ownerless):
        office.do(mail)
    views = list_mails(office.application, Caller(organisation, Role.ADMIN, "someone"))
    assert [view.id for view in views] == mails[::-1]
    assert [(view.template, view.state, view.tries) for view in views] == [
        ("invitation", "queued", 0),
        ("invitation", "queued", 0),
        ("invitation", "sent", 1),
    ]
    rest = list_mails(office.application, Caller(organisation, Role.ADMIN, "someone"), limit=1, before=mails[1])
    assert [view.id for view in rest] == [mails[0]]


def test_a_mail_is_queued_in_the_transaction_of_the_change_it_reports(office):
    with office.control.begin() as session:
        queue_mail(session, office.application, "welcome", "018f", "a@b.org")
        session.rollback()
    with office.control.autocommit() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mail").scalar() == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM job").scalar() == 0


def test_an_unknown_template_is_a_programming_error(office):
    with pytest.raises(ValueError, match="nonsense"):
        office.queue("nonsense", "018f", "a@b.org")


def test_every_promise_has_an_effect_of_that_policy():
    for sort in MAIL_TEMPLATES.values():
        policy = SEND_MAIL.effects[sort.effect]
        assert policy is (Delivery.AT_MOST if sort.promise is Promise.AT_MOST else Delivery.AT_LEAST)


def test_the_waits_suit_greylisting_and_outlast_an_outage():
    waits = [SEND_MAIL.wait(failures) for failures in range(SEND_MAIL.attempts - 1)]
    assert sum(waits[:4], timedelta()) < timedelta(minutes=1)
    assert waits == sorted(waits)
    assert timedelta(hours=4) < sum(waits, timedelta()) < SEND_MAIL.retry_window


def test_a_mail_that_is_tried_again_waits_as_its_failures_say(office):
    mail = office.welcome("rita@example.org")
    office.sink.usual = lambda _recipient, _number: greylist()
    change(office.control, office.mail(mail, job=True), failures=8)
    job = office.do(mail)
    assert job.due_at - now() > wait_before_try(8) - timedelta(seconds=5)
    change(office.control, job.id, failures=SEND_MAIL.attempts - 1)
    assert ended(office.again(mail)) == ("failed", "mail_server_busy")
    assert office.state(mail) == "failed"
