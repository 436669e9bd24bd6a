"""Controls of usage: what is counted, and that no count is about anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, inspect, or_, select

from pigi.domain.controls import Control, Evidence, Finding
from pigi.domain.usage import FEATURES, ROUNDED_TO, publishable
from pigi.operations.usage import count_waiting
from pigi.store.ledgers import UsageDaily

if TYPE_CHECKING:
    from pigi.application import Application

EXPECTED = {"day", "event", "count"}
FOLDED_WITHIN = timedelta(hours=26)
"""A day's first signals are this old when its count is two hours late."""


def counts_name_nobody(application: Application) -> Finding:
    """Whether the table of counts, as the database has it, holds anything but rounded counts of known features."""
    unfit = or_(UsageDaily.count % ROUNDED_TO != 0, UsageDaily.count < ROUNDED_TO, UsageDaily.event.not_in(FEATURES))
    with application.control.autocommit() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns(UsageDaily.__tablename__)}
        if columns != EXPECTED:
            return Finding(False, f"The counts have columns that they should not: {', '.join(columns ^ EXPECTED)}.")
        held = connection.execute(select(func.count()).select_from(UsageDaily)).scalar_one()
        bad = connection.execute(select(func.count()).select_from(UsageDaily).where(unfit)).scalar_one()
    if bad:
        return Finding(False, f"{bad} of {held} daily counts are not rounded, or are of no known feature.")
    return Finding(True, f"{held} daily counts hold a day, a feature and a number rounded to ten, and nothing else.")


def small_groups_left_out(_application: Application) -> Finding:
    """Whether the rule leaves out groups that are too small, and those in which one has most."""
    cases = {
        "nine organisations": publishable(uses=1000, organisations=9, most_by_one=112),
        "ten of which one has most uses": publishable(uses=1000, organisations=10, most_by_one=501),
    }
    told = [name for name, count in cases.items() if count is not None]
    if told:
        return Finding(False, f"A count is kept of {' and of '.join(told)}.")
    return Finding(True, f"No count is kept of {' or of '.join(cases)}.")


def signals_counted_in_time(application: Application) -> Finding:
    """Whether a signal, which names an organisation, is there after its day was to be counted."""
    late = count_waiting(application.control, FOLDED_WITHIN)
    if late:
        return Finding(False, f"{late} signals are still there after their day was to be counted.")
    return Finding(True, "No signal is left of a day that is over and was to be counted.")


CONTROLS = (
    Control(
        "usage-counts-name-nobody",
        "P11",
        Evidence.OBSERVED,
        counts_name_nobody,
        "What is kept of usage is a day, a feature and a rounded number; there is no column for anybody.",
        "What operators can conclude from other records, such as the request log, while those are kept.",
    ),
    Control(
        "usage-small-groups-left-out",
        "P11",
        Evidence.STATIC,
        small_groups_left_out,
        "What fewer than ten organisations did, or one of them most of, is counted nowhere.",
        "How many organisations took part in the counts that are kept: at least ten.",
    ),
    Control(
        "usage-signals-go",
        "P11",
        Evidence.OBSERVED,
        signals_counted_in_time,
        "Signals that say which organisation used what are gone when their day was counted.",
        "Signals that a legal hold keeps, and copies in backups until their day.",
    ),
)
