"""Violations of the controls of what people can write to whoever runs Pigi."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from pigi.clock import now
from pigi.store.contact import Ticket
from tests.support.contact import make_ticket


@contextmanager
def a_message_that_waits(world):
    made = make_ticket(world.application)
    this = Ticket.__table__.c.id == made.id
    with world.application.control.autocommit() as connection:
        connection.execute(update(Ticket).where(this).values(due_at=now() - timedelta(minutes=1)))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(delete(Ticket).where(this))


@contextmanager
def a_file_that_is_soon_over(_world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pigi.operations.contact.disclosure.good_until", lambda moment: moment + timedelta(days=5))
        yield


PLANTED = {"messages-answered-in-time": a_message_that_waits, "reports-welcome": a_file_that_is_soon_over}
