"""The ledger of mail is right however the job ended, also where no worker ran its body to the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pigi.jobs import effects
from pigi.jobs.execution.runtime import HANDLERS
from pigi.jobs.kinds import CATALOGUE, MOST_LOSSES, SEND_MAIL
from pigi.jobs.recovery.cleanup import find_cleanups
from pigi.jobs.recovery.rescue import rescue
from pigi.operations.jobs import cancel_job
from pigi.operations.mail import clean_up
from standins.mail.faults import FaultyMail, greylist
from tasks.mail import send_mail
from tests.support.jobs import change, ended_job, lapse, row_of, take
from tests.support.mail import Office


@pytest.fixture
def office(application):
    with FaultyMail() as sink:
        yield Office(application, sink)


def test_the_kind_has_its_body():
    assert HANDLERS["mail.send"].body is send_mail
    assert CATALOGUE["mail.send"] is SEND_MAIL


def test_a_job_of_nobodys_organisation_is_put_away_too(office):
    mail = office.welcome()
    job = office.do(mail)
    assert (job.organisation_id, job.cleanup_at, office.state(mail)) == (None, None, "sent")


def test_a_mail_that_is_cancelled_while_it_waits_is_failed_at_once(office):
    mail = office.welcome("rita@example.org")
    office.sink.plan("rita@example.org", greylist())
    office.do(mail)
    job = office.mail(mail, job=True)
    cancel_job(office.application, job, None)
    assert (office.state(mail), row_of(office.control, job).cleanup_at) == ("failed", None)


@pytest.mark.parametrize(("template", "key"), [("welcome", "mail"), ("password_changed", "notice")])
@pytest.mark.parametrize(("begun", "state"), [(False, "failed"), (True, "unknown")])
def test_a_mail_over_which_workers_died_says_whether_it_may_have_been_sent(office, template, key, begun, state):
    mail = getattr(office, template)()
    job = office.mail(mail, job=True)
    change(office.control, job, lost=MOST_LOSSES - 1)
    held = take(office.control, SEND_MAIL, job)
    if begun:
        effects.begin(office.control, held, key)
    lapse(office.control, job)
    rescue(office.control)
    assert row_of(office.control, job).reason == "worker_lost"
    office.do(mail)
    assert office.state(mail) == state


def test_a_ledger_that_could_not_be_written_is_written_later(office, monkeypatch):
    mail = office.welcome()
    job = office.mail(mail, job=True)

    def away(*_facts):
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("pigi.operations.mail.clean_up", away)
        assert office.do(mail).state == "succeeded"
    assert office.state(mail) == "queued"
    change(office.control, job, cleanup_at=timedelta(seconds=-1))
    assert [notification.job_id for notification in find_cleanups(office.control, office.application.notifier)] in (
        [],
        [job],
    )
    office.do(mail)
    assert (office.state(mail), row_of(office.control, job).cleanup_at) == ("sent", None)


def test_closing_twice_changes_nothing(office):
    mail = office.welcome()
    job = office.do(mail)
    before = office.mail(mail)
    clean_up(office.application, ended_job(None, mail, job.state, job.finished_at))
    assert office.state(mail) == before.state


def test_a_mail_that_the_sweep_removed_needs_no_closing(office):
    clean_up(office.application, ended_job(None, "018f", "succeeded", None))
