"""API keys: shown once, hashed, ended at once, rotated with an overlap, and their use recorded by the day."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from pigi.clock import now
from pigi.domain.access import Action, Person, Role, Scope
from pigi.errors import Refused
from pigi.ids import new_id
from pigi.operations.access import authorise
from pigi.operations.api_keys import (
    KeyState,
    authenticate,
    end_key,
    issue_key,
    list_keys,
    make_key,
    read_key,
    revoke_key,
    rotate_key,
)
from pigi.operations.api_keys import keys as api_keys
from pigi.operations.organisations import end_membership
from pigi.store.ledgers import AuditContent, AuditEntry
from pigi.store.people import ApiKey
from tests.support.jobs import register_organisation
from tests.support.people import make_key_row, make_member

READ, WRITE, GENERATE, _EXPORT = Scope


@pytest.fixture
def own(control):
    return register_organisation(control)


@pytest.fixture
def owner(application, own):
    person = Person(make_member(application, own, Role.OWNER, name="Olga"), new_id(), confirmed=True)
    return authorise(application, person, own, Action.KEYS_CHANGE)


def opens(application, token):
    try:
        return authenticate(application, token)
    except Refused:
        return None


def refusal_of(act):
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def change(application, key_id, **columns):
    with application.control.begin() as session:
        session.execute(update(ApiKey).where(ApiKey.id == key_id).values(**columns))


def acts(application):
    query = select(AuditEntry.kind, AuditContent.actor).join(AuditContent, AuditContent.seq == AuditEntry.seq)
    with application.control.read() as session:
        return [tuple(row) for row in session.execute(query.order_by(AuditEntry.seq))]


def test_a_key_opens_with_its_scopes_and_is_listed_without_its_secret(application, own, owner):
    issued = make_key(application, owner, " pipeline ", [GENERATE, READ, READ])
    found = authenticate(application, issued.token)
    assert (found.organisation_id, found.scopes) == (own, {READ, GENERATE})
    view = list_keys(application, owner)[0]
    assert (view.id, view.label, view.scopes, view.state) == (issued.id, "pipeline", (READ, GENERATE), KeyState.ACTIVE)
    assert (view.created_by, view.created_by_name) == (owner.account_id, "Olga")
    assert view.expires_at - view.created_at == timedelta(days=90)
    with application.control.read() as session:
        row = session.execute(select(ApiKey.__table__)).one()
    assert issued.token.rpartition("_")[2].encode() not in bytes(row.secret_hash)
    assert issued.token[:5] == "pigi_"
    assert acts(application) == [("key.issued", owner.name)]


def test_no_repr_shows_a_key(application, owner):
    issued = make_key(application, owner, "pipeline", [READ])
    assert issued.token not in repr(issued)


@pytest.mark.parametrize(
    ("label", "days", "code"),
    [("", 9, "invalid_name"), ("a\nb", 9, "invalid_name"), ("a", 0, "invalid_days"), ("a", 366, "invalid_days")],
)
def test_labels_are_lines_and_days_are_bounded(application, own, owner, label, days, code):
    assert refusal_of(lambda: make_key(application, owner, label, [READ], days)) == code
    assert refusal_of(lambda: issue_key(application, own, label, days)) == code


def test_a_revoked_key_opens_nothing_from_then_on(application, owner):
    issued = make_key(application, owner, "pipeline", [READ])
    for _ in range(2):
        end_key(application, owner, issued.id)
        assert opens(application, issued.token) is None
    assert read_key(application, owner, issued.id).state is KeyState.REVOKED
    assert [kind for kind, _ in acts(application)] == ["key.issued", "key.revoked"]


def test_a_key_ends_by_itself(application, owner):
    issued = make_key(application, owner, "pipeline", [READ])
    change(application, issued.id, expires_at=now() - timedelta(seconds=1))
    assert opens(application, issued.token) is None
    assert read_key(application, owner, issued.id).state is KeyState.EXPIRED


def test_both_keys_open_while_they_overlap(application, owner):
    old = make_key(application, owner, "pipeline", [GENERATE], days=30)
    new = rotate_key(application, owner, old.id, days=60, overlap_days=7)
    assert opens(application, old.token).scopes == opens(application, new.token).scopes == {GENERATE}
    views = {view.id: view for view in list_keys(application, owner)}
    assert (views[new.id].label, views[new.id].replaces) == ("pipeline", old.id)
    assert timedelta(days=6) < views[old.id].expires_at - now() <= timedelta(days=7)
    assert [kind for kind, _ in acts(application)] == ["key.issued", "key.rotated"]
    change(application, old.id, expires_at=now())
    assert opens(application, old.token) is None
    assert opens(application, new.token) is not None


def test_an_overlap_of_no_day_ends_the_old_key_now(application, owner):
    old = make_key(application, owner, "pipeline", [READ])
    new = rotate_key(application, owner, old.id, overlap_days=0)
    assert opens(application, old.token) is None
    assert opens(application, new.token) is not None


def test_rotating_never_lengthens_the_old_key(application, owner):
    old = make_key(application, owner, "pipeline", [READ], days=1)
    end = read_key(application, owner, old.id).expires_at
    rotate_key(application, owner, old.id, overlap_days=30)
    assert read_key(application, owner, old.id).expires_at == end


@pytest.mark.parametrize("days", [{"days": 0}, {"days": 366}, {"overlap_days": -1}, {"overlap_days": 31}])
def test_the_days_of_a_rotation_are_bounded(application, owner, days):
    old = make_key(application, owner, "pipeline", [READ])
    assert refusal_of(lambda: rotate_key(application, owner, old.id, **days)) == "invalid_days"


def test_what_is_over_is_not_rotated(application, own, owner):
    revoked = make_key_row(application, own, revoked=True)[0]
    expired = make_key_row(application, own, days=-1)[0]
    for key_id in (revoked, expired):
        assert refusal_of(lambda: rotate_key(application, owner, key_id)) == "key_over"  # noqa: B023 - at once


def test_another_organisations_keys_are_not_found(application, owner, control):
    foreign, token = make_key_row(application, register_organisation(control))
    for key_id in (foreign, new_id(), "none"):
        for act in (rotate_key, end_key, read_key):
            assert refusal_of(lambda: act(application, owner, key_id)) == "not_found"  # noqa: B023 - at once
    assert opens(application, token) is not None
    assert list_keys(application, owner) == []


def test_an_organisation_has_so_many_live_keys(application, own, owner, monkeypatch):
    monkeypatch.setattr(api_keys, "MOST_LIVE", 2)
    make_key_row(application, own, revoked=True)
    make_key_row(application, own, days=-1)
    kept = [make_key(application, owner, "pipeline", [READ]).id for _ in range(2)]
    assert refusal_of(lambda: make_key(application, owner, "pipeline", [READ])) == "too_many_keys"
    assert refusal_of(lambda: issue_key(application, own, "command line")) == "too_many_keys"
    # All that are there can be rotated at once, and no more.
    successors = [rotate_key(application, owner, key_id).id for key_id in kept]
    assert refusal_of(lambda: rotate_key(application, owner, successors[0])) == "too_many_keys"
    end_key(application, owner, kept[0])
    rotate_key(application, owner, successors[0])


def test_requests_that_come_together_share_the_limit(application, own, owner, monkeypatch):
    monkeypatch.setattr(api_keys, "MOST_LIVE", 2)

    def make(_number):
        try:
            return make_key(application, owner, "pipeline", [READ]).id
        except Refused as refusal:
            return refusal.code

    with ThreadPoolExecutor(5) as threads:
        got = list(threads.map(make, range(5)))
    assert got.count("too_many_keys") == 3
    assert len(list_keys(application, owner)) == 2


def test_live_keys_are_listed_before_those_that_ended(application, own, owner):
    first = make_key_row(application, own)[0]
    ended = make_key_row(application, own, revoked=True)[0]
    second = make_key_row(application, own)[0]
    assert [view.id for view in list_keys(application, owner)] == [second, first, ended]


def test_who_made_a_key_is_told_apart_but_not_named_once_they_left(application, own, owner):
    admin = make_member(application, own, Role.ADMIN, name="Aron")
    other = authorise(application, Person(admin, new_id(), confirmed=True), own, Action.KEYS_CHANGE)
    issued = make_key(application, other, "pipeline", [READ])
    assert read_key(application, owner, issued.id).created_by_name == "Aron"
    end_membership(application, owner, admin)
    assert read_key(application, owner, issued.id).created_by_name == f"former member {admin[-8:]}"
    assert refusal_of(lambda: make_key(application, other, "pipeline", [READ])) == "not_found"


def test_the_command_line_acts_as_an_operator(application, own, owner):
    token = issue_key(application, own, "command line", scopes=[READ])
    key = authenticate(application, token)
    assert key.scopes == {READ}
    revoke_key(application, key.key_id)
    assert refusal_of(lambda: revoke_key(application, key.key_id)) == "not_found"
    assert refusal_of(lambda: issue_key(application, new_id(), "command line")) == "not_found"
    assert acts(application) == [("key.issued", "operator:cli"), ("key.revoked", "operator:cli")]
    assert list_keys(application, owner)[0].created_by is None


@pytest.fixture
def writes(application):
    """The statements that write, as the database is given them."""
    found = []

    @event.listens_for(application.control.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_more):
        if not statement.startswith(("SELECT", "BEGIN")):
            found.append(statement)

    return found


def test_the_day_of_use_is_written_once_a_day(application, own, owner, writes, monkeypatch):
    token = issue_key(application, own, "pipeline")
    writes.clear()
    for _ in range(3):
        authenticate(application, token)
    assert len(writes) == 1
    assert list_keys(application, owner)[0].last_used_on == now().date()
    tomorrow = datetime.combine(now().date() + timedelta(days=1), datetime.min.time(), UTC)
    monkeypatch.setattr(api_keys, "now", lambda: tomorrow)
    for _ in range(3):
        authenticate(application, token)
    assert len(writes) == 2
    assert list_keys(application, owner)[0].last_used_on == tomorrow.date()


def test_a_key_that_does_not_match_leaves_no_trace(application, own, owner, writes):
    token = issue_key(application, own, "pipeline")
    writes.clear()
    assert opens(application, token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert writes == []
    assert list_keys(application, owner)[0].last_used_on is None


def test_a_request_goes_on_when_its_day_cannot_be_written(application, own, owner):
    token = issue_key(application, own, "pipeline")

    @event.listens_for(application.control.engine, "before_cursor_execute")
    def fail(_connection, _cursor, statement, *_more):
        if statement.startswith("UPDATE api_key"):
            raise OperationalError(statement, {}, Exception("busy"))

    assert opens(application, token) is not None
    event.remove(application.control.engine, "before_cursor_execute", fail)
    assert list_keys(application, owner)[0].last_used_on is None
