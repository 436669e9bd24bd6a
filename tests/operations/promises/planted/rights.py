"""Violations of the controls of people's rights."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from pigi.clock import now
from pigi.domain.privacy_requests import Right
from pigi.domain.processing import STOPS, Stop
from pigi.jobs.kinds import FOLLOW_CONTACT
from pigi.jobs.model.transitions import JOB
from pigi.operations.accounts import change_account
from pigi.operations.audit import CLI
from pigi.operations.privacy_requests import enter_request
from pigi.store.privacy_requests import PrivacyRequest
from tests.support.jobs import copies


@contextmanager
def mail_that_ignores_it(_world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STOPS, Stop.RESTRICTION, frozenset())
        yield


@contextmanager
def a_request_that_waits(world):
    came = now() - timedelta(days=40)
    made = enter_request(world.application, CLI, Right.ERASURE, "somebody@example.org", received_at=came)
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(delete(PrivacyRequest).where(PrivacyRequest.id == made))


@contextmanager
def a_name_that_stays(_world):
    kept = change_account

    def keeping(application, person, change, *rest):
        return kept(application, person, replace(change, name=None), *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.api.accounts.change_account", keeping)
        yield


@contextmanager
def a_change_that_stripe_never_heard_of(world):
    control = world.application.control
    with control.autocommit() as connection:
        job_id = connection.execute(select(JOB.c.id).limit(1)).scalar_one()
    facts = {"kind": FOLLOW_CONTACT.name, "state": "failed", "finished_at": now()}
    (copy,) = copies(control, job_id, 1, **facts)
    try:
        yield
    finally:
        with control.autocommit() as connection:
            connection.execute(delete(JOB).where(JOB.c.id == copy))


PLANTED = {
    "uses-can-be-stopped": mail_that_ignores_it,
    "requests-answered-in-time": a_request_that_waits,
    "account-corrected": a_name_that_stays,
    "stripe-told-of-corrections": a_change_that_stripe_never_heard_of,
}
