"""The audit log over HTTP: an organisation's own entries, for its admins, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pigi.domain.access import Role
from pigi.ids import new_id
from pigi.operations.audit import erase_content, record
from tests.support.people import make_member, sign_in

if TYPE_CHECKING:
    from flask import Flask

    from pigi.application import Application
    from tests.support.http import Client


@pytest.fixture
def admin(application: Application, own: str) -> str:
    """An admin of the client's organisation; the account's id."""
    return make_member(application, own, Role.ADMIN)


@pytest.fixture
def browser(app: Flask, application: Application, admin: str) -> Client:
    """The admin, signed in."""
    return sign_in(app, application, admin)


@pytest.fixture
def log(own: str) -> str:
    """Where the log is."""
    return f"/api/v1/organisations/{own}/audit"


def act(application: Application, organisation_id: str, actor: str, times: int = 1, **details: Any) -> None:
    """So many changes of access."""
    for _ in range(times):
        with application.control.begin() as session:
            record(session, application, "member.joined", f"account:{actor}", organisation_id, **details)


def seqs(answer: Any) -> list[int]:
    """The numbers of the entries that were shown."""
    return [entry["seq"] for entry in answer.json["entries"]]


def test_an_entry_says_who_did_what_to_whom(
    application: Application, browser: Client, admin: str, own: str, log: str
) -> None:
    other = new_id()
    act(application, own, admin, subject=f"account:{other}", role="member")
    answer = browser.get(log)
    assert answer.status_code == 200
    (entry,) = answer.json["entries"]
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "seq": 1,
        "kind": "member.joined",
        "actor": f"account:{admin}",
        "subject": f"account:{other}",
        "details": {"role": "member"},
    }
    assert answer.json["next"] is None
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_the_organisations_own_entries_are_shown(
    application: Application, browser: Client, admin: str, own: str, log: str
) -> None:
    act(application, new_id(), admin, 2)
    act(application, own, admin)
    with application.control.begin() as session:
        record(session, application, "session.signed_in", f"account:{admin}")
    assert seqs(browser.get(log)) == [3]


def test_pages_follow_each_other_to_the_oldest(
    application: Application, browser: Client, admin: str, own: str, log: str
) -> None:
    act(application, own, admin, 5)
    first = browser.get(f"{log}?limit=2")
    assert seqs(first) == [5, 4]
    second = browser.get(first.json["next"])
    assert seqs(second) == [3, 2]
    last = browser.get(second.json["next"])
    assert (seqs(last), last.json["next"]) == ([1], None)


def test_what_was_erased_is_not_shown(
    application: Application, browser: Client, admin: str, own: str, log: str
) -> None:
    gone = new_id()
    act(application, own, gone)
    act(application, own, admin)
    with application.control.begin() as session:
        erase_content(session, application, account_id=gone)
    assert seqs(browser.get(log)) == [2]


@pytest.mark.parametrize("query", ["before=0", "before=x", "limit=0", "limit=101", "kind=member.joined"])
def test_a_query_that_means_nothing_is_refused(browser: Client, log: str, query: str) -> None:
    assert browser.get(f"{log}?{query}").status_code == 422
