"""The canary is nobody's: it is sent nothing, nobody signs in as it, and operators do not see it among others."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from pigi.domain.mail import Template
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.jobs.model.transitions import JOB
from pigi.operations.accounts import find_person, find_person_by_email, sign_in, sign_out
from pigi.operations.dashboards import count_jobs
from pigi.operations.deletion import list_deletions
from pigi.operations.exports import count_preparing, list_started
from pigi.operations.mail import queue_mail
from pigi.operations.organisations import list_organisations
from pigi.operations.promises import rounds, visits
from pigi.operations.promises.canary import HOME, STRANGER, DisturbedError, find_stray, resident, settle, with_password
from pigi.operations.promises.controls import browsing
from pigi.operations.promises.visits import Page, Visitor, forget_visits, mark_of
from pigi.store.control import Organisation
from pigi.store.ledgers import AuditEntry, Mail, RequestLog
from web.http import auth

if TYPE_CHECKING:
    from pigi.application import Application


def _count(application: Application, table: type) -> int:
    with application.control.autocommit() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_it_is_nobody(application, organisation):
    canary = resident(application)
    assert canary == resident(application) != resident(application, STRANGER)
    assert [one[0] for one in list_organisations(application)] == [organisation]
    with application.control.begin() as session:
        assert queue_mail(session, application, Template.PASSWORD_CHANGED, canary.account_id, canary.address) == ""
    assert _count(application, Mail) == 0
    with pytest.raises(Refused, match="not_found"):
        find_person_by_email(application, canary.address)


def test_what_is_done_to_it_is_in_no_list_and_no_count_of_operators(application):
    rounds.begin_acts(application, lambda: None)
    with application.control.autocommit() as connection:
        # A draft, two exports, and the deletions of an organisation and an account.
        assert len(connection.execute(select(JOB.c.id)).all()) == 5
    assert count_jobs(application) == {}
    assert (list_started(application), count_preparing(application)) == ([], 0)
    assert list_deletions(application) == []


def test_nobody_signs_in_but_the_probe_that_holds_the_password(application):
    canary = resident(application, HOME)
    with with_password(application, canary) as password:
        opened = sign_in(application, canary.address, password, "192.0.2.1")
    assert opened.account.id == canary.account_id
    sign_out(application, find_person(application, opened.token), opened.token)
    # The log of what people did says nothing of it.
    assert _count(application, AuditEntry) == 0
    for tried in (password, "!", ""):
        with pytest.raises(Refused, match="wrong_credentials"):
            sign_in(application, canary.address, tried, "192.0.2.1")


def test_two_runs_of_the_probe_at_once_say_nothing_against_signing_in(application):
    canary = resident(application, HOME)

    def overtaken():
        with with_password(application, canary) as first:
            with with_password(application, canary) as second:
                assert sign_in(application, canary.address, second, "192.0.2.1")
            with pytest.raises(Refused, match="wrong_credentials"):
                sign_in(application, canary.address, first, "192.0.2.1")

    with pytest.raises(DisturbedError):
        overtaken()
    with with_password(application, canary) as password:
        assert sign_in(application, canary.address, password, "192.0.2.1")


def test_one_that_a_dying_probe_left_behind_is_found(application):
    resident(application)
    assert find_stray(application) is None
    left = settle(application, "left-behind")
    assert find_stray(application) == left
    assert settle(application, "left-behind") == left
    with application.control.autocommit() as connection:
        own = select(func.count()).select_from(Organisation).where(Organisation.canary)
        assert connection.execute(own).scalar_one() == 2


def test_its_visits_leave_no_line_and_others_stay(application):
    mark = mark_of(application)
    line = {"at": visits.now(), "method": "GET", "route": "/", "status": 200, "ms": 1.0}
    with application.control.begin() as session:
        session.add_all(
            RequestLog(**line, request_id=name) for name in (f"{mark}1", "canary-1", "somebody", f"not-{mark}2")
        )
        session.add(RequestLog(**{**line, "at": line["at"] - timedelta(days=1)}, request_id=f"{mark}old"))
    forget_visits(application)
    with application.control.autocommit() as connection:
        left = set(connection.execute(select(RequestLog.request_id)).scalars())
    assert left == {"canary-1", "somebody", f"not-{mark}2", f"{mark}old"}


def test_a_visitor_tells_what_a_page_loads_from_what_it_links_to():
    page = Page(
        '<a href="https://elsewhere.example/">x</a><img src="//pixel.example/1"><script src="/pigi.js"></script>'
    )
    assert page.hosts("https://pigi.example") == {"pixel.example"}
    assert page.links == ["https://elsewhere.example/"]
    with pytest.raises(visits.UnreachableError):
        Visitor("http://127.0.0.1:1").ask("GET", f"/{new_id()}")
    assert (visits.SESSION, visits.XSRF, visits.XSRF_HEADER) == (auth.SESSION, auth.XSRF, auth.XSRF_HEADER)


def test_pages_of_errors_are_no_evidence(monkeypatch):
    broken = [(visits.Answer("/", 503, (), b""), Page(""))]
    monkeypatch.setattr(browsing, "forget_visits", lambda _application: None)
    monkeypatch.setattr(Visitor, "of", classmethod(lambda cls, *_given: cls("http://127.0.0.1:1")))
    monkeypatch.setattr(Visitor, "crawl", lambda *_given: iter(broken))
    for probe in (browsing.cookies_and_storage, browsing.nothing_before_signing_in, browsing.fonts_without_tracks):
        with pytest.raises(visits.UnreachableError):
            probe(None)
