"""Whether somebody may still: what holds a session or a key up, and everything that ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, event, update

from pigi.clock import now
from pigi.domain.access import Action, Role, Scope
from pigi.operations.access import AccessGrant, still_granted
from pigi.operations.accounts import find_person
from pigi.operations.api_keys import authenticate
from pigi.store.control import Organisation
from pigi.store.people import Account, ApiKey, Membership, Session
from tests.support.jobs import register_organisation
from tests.support.people import make_key, make_member, make_session

FOLLOW = Action.JOBS_READ


@pytest.fixture
def own(control):
    return register_organisation(control)


def session_stand(application, organisation_id, account_id):
    return AccessGrant(
        organisation_id, session_id=find_person(application, make_session(application, account_id)).session_id
    )


def key_stand(application, organisation_id, *scopes):
    token = make_key(application, organisation_id, scopes or tuple(Scope))
    return AccessGrant(organisation_id, key_id=authenticate(application, token).key_id)


ENDS_OF_SESSIONS = {
    "signed out": lambda: delete(Session),
    "idle": lambda: update(Session).values(seen_at=now() - timedelta(hours=12, seconds=1)),
    "removed": lambda: delete(Membership),
    "account disabled": lambda: update(Account).values(state="disabled"),
    "organisation closed": lambda: update(Organisation).values(state="deleting"),
}
ENDS_OF_KEYS = {
    "revoked": lambda: update(ApiKey).values(revoked_at=now()),
    "expired": lambda: update(ApiKey).values(expires_at=now()),
    "scope taken": lambda: update(ApiKey).values(scopes="configuration:write"),
    "organisation closed": lambda: update(Organisation).values(state="deleting"),
}


@pytest.mark.parametrize("end", ENDS_OF_SESSIONS)
def test_a_session_stands_until_something_ends_it(application, own, end):
    grant = session_stand(application, own, make_member(application, own))
    assert still_granted(application, [grant], FOLLOW) == {grant}
    with application.control.begin() as session:
        session.execute(ENDS_OF_SESSIONS[end]())
    assert still_granted(application, [grant], FOLLOW) == set()


@pytest.mark.parametrize("end", ENDS_OF_KEYS)
def test_a_key_stands_until_something_ends_it(application, own, end):
    grant = key_stand(application, own)
    assert still_granted(application, [grant], FOLLOW) == {grant}
    with application.control.begin() as session:
        session.execute(ENDS_OF_KEYS[end]())
    assert still_granted(application, [grant], FOLLOW) == set()


def test_each_stands_where_they_belong_and_for_what_they_may(application, own, control):
    other = register_organisation(control)
    member, owner = make_member(application, own), make_member(application, own, Role.OWNER)
    low, high = session_stand(application, own, member), session_stand(application, own, owner)
    elsewhere = AccessGrant(other, session_id=low.session_id)
    key = key_stand(application, own, Scope.CONFIGURATION_READ)
    foreign = AccessGrant(other, key_id=key.key_id)
    everybody = [low, high, elsewhere, key, foreign, AccessGrant(own)]
    assert still_granted(application, everybody, FOLLOW) == {low, high, key}
    assert still_granted(application, everybody, Action.KEYS_READ) == {high}
    assert still_granted(application, everybody, Action.GENERATE) == {low, high}
    assert still_granted(application, [], FOLLOW) == set()


def test_many_are_looked_up_in_two_queries(application, own):
    member = make_member(application, own)
    grants = [session_stand(application, own, member) for _ in range(20)]
    grants += [key_stand(application, own) for _ in range(20)]
    asked = []
    event.listen(application.control.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert still_granted(application, grants, FOLLOW) == set(grants)
    assert len(asked) == 2
