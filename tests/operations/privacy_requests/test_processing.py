"""Restriction and objection stop what they are to stop: at the request, at the start, before each effect."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from pigi.domain.mail import MAIL_TEMPLATES, Template
from pigi.domain.processing import STOPS, Stop, Use, read_stops, why_stopped, write_stops
from pigi.jobs.kinds import CATALOGUE, GENERATE_DRAFT
from pigi.store.people import Account
from pigi.store.processing import stopped
from tests.support.people import make_account


@pytest.fixture
def account(application):
    return make_account(application)


def stop(application, account, *stops):
    with application.control.autocommit() as connection:
        values = {"stops": write_stops(frozenset(stops))}
        connection.execute(update(Account).where(Account.id == account).values(values))


@pytest.mark.parametrize("use", list(Use))
@pytest.mark.parametrize("what", list(Stop))
def test_each_stops_its_uses_and_no_other(application, account, what, use):
    stop(application, account, what)
    with application.control.autocommit() as connection:
        code = stopped(connection, f"account:{account}", use)
    assert (code is not None) == (use in STOPS[what])
    assert code == why_stopped(read_stops(what.value), use)


def test_the_service_itself_is_never_stopped():
    assert not any(Use.SERVICE in uses for uses in STOPS.values())


def test_a_key_acts_for_its_organisation_and_is_not_stopped(application, account):
    stop(application, account, Stop.RESTRICTION)
    with application.control.autocommit() as connection:
        assert stopped(connection, f"api-key:{account}", Use.GENERATION) is None


def test_what_calls_the_model_is_a_generation_and_warnings_are_notices():
    assert [kind.name for kind in CATALOGUE.values() if kind.queue == "ai" and kind.use is not Use.GENERATION] == [
        "ai.probe"
    ]
    assert GENERATE_DRAFT.use is Use.GENERATION
    assert [name for name, template in MAIL_TEMPLATES.items() if template.use is Use.NOTICES] == [Template.KEY_EXPIRING]
