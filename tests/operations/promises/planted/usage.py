"""Violations of the controls of usage."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import delete, insert

from pigi.clock import now
from pigi.domain import usage
from pigi.ids import new_id
from pigi.store.ledgers import UsageDaily, UsageSignal


@contextmanager
def a_row(world, table, values):
    with world.application.control.autocommit() as connection:
        connection.execute(insert(table).values(values))
    try:
        yield
    finally:
        with world.application.control.autocommit() as connection:
            connection.execute(delete(table).where(table.event == values["event"]))


def an_exact_count(world):
    return a_row(world, UsageDaily, {"day": now().date(), "event": "key.made", "count": 13})


def a_late_signal(world):
    # Late to be counted, and not yet past its period, which is another promise's.
    signal = {"at": now() - timedelta(hours=30), "event": "key.made", "organisation_id": new_id()}
    return a_row(world, UsageSignal, signal)


@contextmanager
def a_lax_rule(_world):
    least = usage.LEAST_ORGANISATIONS
    usage.LEAST_ORGANISATIONS = 2
    try:
        yield
    finally:
        usage.LEAST_ORGANISATIONS = least


PLANTED = {
    "usage-counts-name-nobody": an_exact_count,
    "usage-small-groups-left-out": a_lax_rule,
    "usage-signals-go": a_late_signal,
}
