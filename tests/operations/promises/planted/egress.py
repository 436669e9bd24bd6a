"""Violations of the controls of who gets data."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import delete, insert

from pigi.clock import now
from pigi.domain.privacy import Recipient
from pigi.domain.recipients import RECIPIENTS
from pigi.store.egress import EGRESS
from pigi.store.people import Account

COLUMN = Account.__table__.c.email


@contextmanager
def a_column_for_a_broker(_world):
    facts = COLUMN.info["facts"]
    COLUMN.info["facts"] = replace(facts, recipients=("broker",))
    try:
        yield
    finally:
        COLUMN.info["facts"] = facts


def counted(recipient, outcome):
    @contextmanager
    def plant(world):
        moment = now()
        key = {"day": moment.date(), "recipient": recipient, "outcome": outcome}
        with world.application.control.autocommit() as connection:
            connection.execute(insert(EGRESS).values(**key, connections=3, last_at=moment))
        try:
            yield
        finally:
            with world.application.control.autocommit() as connection:
                connection.execute(delete(EGRESS).where(EGRESS.c.recipient == recipient))

    return plant


@contextmanager
def a_third_party_too_few(_world):
    kept = dict(RECIPIENTS)
    # One that no column names, since a column's would be P06's, too.
    del RECIPIENTS[Recipient.BUNNY]
    try:
        yield
    finally:
        RECIPIENTS.clear()
        RECIPIENTS.update(kept)


PLANTED = {
    "columns-go-to-the-listed": a_column_for_a_broker,
    "connections-went-to-the-listed": counted("broker", "begun"),
    "three-third-parties": a_third_party_too_few,
    "nothing-was-refused": counted("elsewhere", "refused"),
}
