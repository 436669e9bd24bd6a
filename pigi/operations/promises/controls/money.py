"""Controls of payment: what is held of who pays, that Stripe and Pigi agree, and how long the billing log stays."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, func, select

from pigi.clock import now
from pigi.domain.cards import has_card_number
from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.privacy import Category
from pigi.domain.retention import Retention, cutoff
from pigi.store.billing import BillingAccount, BillingEvent, BillingLine, BillingLink, BillingPrice, BillingRun
from pigi.store.schema import CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Table

    from pigi.application import Application

TABLES: tuple[Any, ...] = tuple(
    model.__table__ for model in (BillingAccount, BillingEvent, BillingLine, BillingLink, BillingPrice, BillingRun)
)
EVENT: Any = BillingEvent.__table__
LINE: Any = BillingLine.__table__
NEWEST = 200
"""Rows of each table that are looked at: what is wrong now would be wrong in new rows."""
LATE = timedelta(hours=6)
"""Events are processed within seconds, and those that were missed by the next reconciliation."""


def nothing_of_who_pays(_application: Application) -> Finding:
    """Whether a billing table has a column for a name, an address or other words about who pays."""
    columns = [column for table in TABLES for column in table.columns]
    words = {Category.CONTACT, Category.CONTENT, Category.LABEL}
    more = [str(column) for column in columns if column.info["facts"].category in words]
    if more:
        return Finding(False, f"Columns for who pays: {', '.join(more)}.")
    return Finding(True, f"None of {len(columns)} columns about billing holds a name, an address or a card.")


def no_card_numbers(application: Application) -> Finding:
    """Whether a text of the newest rows of a table holds what could be a card's number."""
    with application.control.autocommit() as connection:
        found = [table.name for table in CONTROL.sorted_tables if any(map(has_card_number, _texts(connection, table)))]
    if found:
        return Finding(False, f"What could be a card's number is in: {', '.join(found)}.")
    tables = len(CONTROL.sorted_tables)
    return Finding(True, f"No card's number in the newest {NEWEST} rows of any of {tables} tables.")


def _texts(connection: Connection, table: Table) -> Iterator[str]:
    columns = [column for column in table.columns if isinstance(column.type, String)]
    if not columns:
        return
    newest = [column.desc() for column in table.primary_key.columns]
    for row in connection.execute(select(*columns).order_by(*newest).limit(NEWEST)):
        yield from (value for value in row if value)


def stripe_in_step(application: Application) -> Finding:
    """Whether something that Stripe told of has been left lying."""
    waiting = select(func.count(), func.min(EVENT.c.received_at)).where(EVENT.c.processed_at.is_(None))
    with application.control.autocommit() as connection:
        row: Any = connection.execute(waiting).one()
    count, oldest = row
    if oldest is not None and oldest < now() - LATE:
        return Finding(False, f"{count} events of Stripe's wait, the oldest since {oldest:%Y-%m-%d %H:%M} UTC.")
    return Finding(True, f"{count} events of Stripe's wait, none of them for longer than {LATE.seconds // 3600} hours.")


def billing_log_in_time(application: Application) -> Finding:
    """Whether a line of the billing log is still there after its seven years."""
    oldest = select(func.min(LINE.c.year_end))
    with application.control.autocommit() as connection:
        year_end = connection.execute(oldest).scalar()
    # A sweep a day, and a day for it to be late.
    due = (cutoff(Retention.BILLING_LOG, now()) - timedelta(days=2)).date()
    if year_end is not None and year_end < due:
        return Finding(False, f"Lines of the financial year that ended on {year_end} are past their seven years.")
    return Finding(True, "The billing log is empty." if year_end is None else f"Its oldest year ended on {year_end}.")


CONTROLS = (
    Control(
        "billing-holds-no-identity",
        "P02",
        Evidence.STATIC,
        nothing_of_who_pays,
        "No column about billing is for a name, an address or a card: identifiers, statuses and amounts alone.",
        "What Stripe holds.",
    ),
    Control(
        "no-card-numbers",
        "P02",
        Evidence.OBSERVED,
        no_card_numbers,
        "No text in the newest rows of any table of the control database passes for a card's number.",
        "What organisations write: it is sealed, and nobody looks into it for this.",
    ),
    Control(
        "stripe-in-step",
        "P09",
        Evidence.OBSERVED,
        stripe_in_step,
        "Nothing that Stripe told of is left lying for hours.",
        "Whether Stripe told of everything, which the nightly comparison finds; and that Stripe's own mails arrive.",
    ),
    Control(
        "billing-log-within-seven-years",
        "P27",
        Evidence.OBSERVED,
        billing_log_in_time,
        "The oldest line of the billing log is within seven years of the end of its financial year.",
        "What accountants keep.",
    ),
)
