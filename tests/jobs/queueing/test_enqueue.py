"""Asking for a job: one row in the asker's transaction, refused to whom it must be."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from pigi.errors import Refused
from pigi.ids import is_id, new_id
from pigi.jobs.kinds import MIGRATE_ORGANISATION, PROBES, SWEEP_JOBS
from pigi.jobs.queueing.enqueue import enqueue
from tests.support.jobs import ask, raise_epoch, register_organisation, row_of, view


def test_the_view_that_is_answered_is_what_the_table_holds(control):
    organisation = register_organisation(control)
    with control.begin() as session:
        told = enqueue(session, None, MIGRATE_ORGANISATION, organisation_id=organisation, requested_by="test")
    assert told == view(control, told.id)
    assert (told.state, told.attempt, told.revision, is_id(told.id)) == ("queued", 0, 1, True)


@pytest.mark.parametrize("state", ["restricted", "deleted", "sealed"])
def test_an_organisation_that_is_not_active_gets_no_job(control, state):
    with pytest.raises(Refused) as refused:
        ask(control, MIGRATE_ORGANISATION, register_organisation(control, state))
    assert refused.value.code == "organisation_closed"


def test_an_organisation_that_does_not_exist_gets_no_job(control):
    with pytest.raises(Refused):
        ask(control, MIGRATE_ORGANISATION, new_id())


def test_a_job_carries_the_epoch_of_its_asking(control):
    organisation = register_organisation(control)
    raise_epoch(control, organisation)
    assert row_of(control, ask(control, MIGRATE_ORGANISATION, organisation)).epoch == 2


def test_a_job_lives_and_dies_with_the_askers_transaction(control):
    job = new_id()
    with pytest.raises(ZeroDivisionError), control.begin() as session:  # noqa: PT012 - the transaction is the point
        enqueue(session, None, PROBES["mail"], organisation_id=None, requested_by="test", job_id=job)
        raise ZeroDivisionError
    assert row_of(control, job) is None


def test_a_job_that_is_due_later_waits_without_a_bell(control):
    row = row_of(control, ask(control, PROBES["mail"], due_in=3600))
    assert row.published_at is None
    assert 3590 < (row.due_at - row.created_at).total_seconds() <= 3600.5


def test_a_schedule_asks_once_a_period(control):
    ask(control, SWEEP_JOBS, schedule="jobs.sweep", period="2026-03-01")
    with pytest.raises(IntegrityError):
        ask(control, SWEEP_JOBS, schedule="jobs.sweep", period="2026-03-01")
    ask(control, SWEEP_JOBS, schedule="jobs.sweep", period="2026-03-02")
