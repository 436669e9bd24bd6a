"""Violations of the controls of people's rights."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete

from pigi.clock import now
from pigi.domain.privacy_requests import Right
from pigi.domain.processing import STOPS, Stop
from pigi.operations.audit import CLI
from pigi.operations.privacy_requests import enter_request
from pigi.store.privacy_requests import PrivacyRequest


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


PLANTED = {"uses-can-be-stopped": mail_that_ignores_it, "requests-answered-in-time": a_request_that_waits}
