"""The audit chain is written with the acts it records, one entry after another."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from sqlalchemy import select

from pigi.application import Application
from pigi.domain.audit import BEGINNING, EntryContent, commitment, entry_hash
from pigi.ids import new_id
from pigi.operations.audit import CLI, CONTENT, record
from pigi.operations.audit.chain import ENTRY

SOMEBODY, SOMEWHERE = f"account:{new_id()}", new_id()


@pytest.fixture
def application(settings):
    opened = Application.open(settings)
    yield opened
    opened.dispose()


def entries(application):
    with application.control.autocommit() as connection:
        return connection.execute(select(ENTRY).order_by(ENTRY.c.seq)).all()


def contents(application):
    with application.control.autocommit() as connection:
        return connection.execute(select(CONTENT).order_by(CONTENT.c.seq)).all()


def test_entries_follow_each_other_from_the_beginning(application):
    with application.control.begin() as session:
        record(session, application, "session.signed_in", SOMEBODY)
        record(session, application, "organisation.created", SOMEBODY, SOMEWHERE)
    with application.control.begin() as session:
        record(session, application, "member.role_changed", CLI, SOMEWHERE, SOMEBODY, was="member", role="admin")

    found = entries(application)
    assert [row.seq for row in found] == [1, 2, 3]
    assert [row.previous for row in found] == [BEGINNING, found[0].entry_hash, found[1].entry_hash]
    for row in found:
        assert row.entry_hash == entry_hash(row.previous, row.seq, row.at, row.kind, row.commitment)


def test_the_content_stands_apart_and_matches_its_commitment(application):
    key = new_id()
    with application.control.begin() as session:
        record(session, application, "key.issued", CLI, SOMEWHERE, f"api-key:{key}", days=90, scopes=None)

    (entry,), (row,) = entries(application), contents(application)
    assert row.details == '{"days":90}'
    content = EntryContent(SOMEWHERE, CLI, f"api-key:{key}", row.details)
    assert entry.commitment == commitment(row.salt, content)


def test_an_act_that_was_rolled_back_leaves_no_trace(application):
    with suppress(RuntimeError), application.control.begin() as session:
        record(session, application, "session.signed_in", SOMEBODY)
        raise RuntimeError
    assert entries(application) == []


def test_a_savepoint_takes_its_acts_with_it(application):
    with application.control.begin() as session:
        record(session, application, "organisation.created", SOMEBODY, SOMEWHERE)
        with suppress(RuntimeError), session.begin_nested():
            record(session, application, "organisation.renamed", CLI, SOMEWHERE)
            raise RuntimeError
        with session.begin_nested():
            record(session, application, "member.left", SOMEBODY, SOMEWHERE)
    assert [row.kind for row in entries(application)] == ["organisation.created", "member.left"]


@pytest.mark.parametrize(
    ("kind", "arguments", "details"),
    [
        ("session.imagined", (SOMEBODY,), {}),
        ("session.signed_in", ("Ada Lovelace",), {}),
        ("session.signed_in", (SOMEBODY, "the engine"), {}),
        ("session.signed_in", (SOMEBODY, None, "ada@example.org"), {}),
        ("operator.job_retried", (SOMEBODY,), {"job": "ada"}),
        ("session.signed_in", (SOMEBODY,), {"role": "owner"}),
        ("member.joined", (SOMEBODY,), {"role": "queen"}),
        ("key.issued", (SOMEBODY,), {"days": "ninety"}),
        ("key.issued", (SOMEBODY,), {"days": True}),
        ("key.issued", (SOMEBODY,), {"scopes": "configuration:read everything"}),
    ],
)
def test_what_may_not_be_kept_is_refused(application, kind, arguments, details):
    with pytest.raises(ValueError), application.control.begin() as session:
        record(session, application, kind, *arguments, **details)


def test_appends_at_once_wait_for_each_other_and_leave_no_gap(application):
    together = threading.Barrier(8)

    def act():
        together.wait()
        for _ in range(5):
            with application.control.begin() as session:
                record(session, application, "session.signed_in", SOMEBODY)

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = entries(application)
    assert [row.seq for row in found] == list(range(1, 41))
    assert [row.previous for row in found[1:]] == [row.entry_hash for row in found[:-1]]
