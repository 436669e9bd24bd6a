"""Controls of what Pigi holds: columns that say what for, and rows that go after their period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pigi.domain.controls import Control, Evidence, Finding
from pigi.operations.retention import report_classes
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from sqlalchemy import Column, MetaData

    from pigi.application import Application


def columns_declared(_application: Application) -> Finding:
    """Whether every column of both kinds of database says what it is for."""
    columns = [column for metadata in (CONTROL, TENANT) for column in _columns(metadata)]
    bare = [str(column) for column in columns if "facts" not in column.info or not column.info["facts"].purpose]
    if bare:
        return Finding(False, f"{len(bare)} of {len(columns)} columns do not say what they are for: {', '.join(bare)}.")
    return Finding(True, f"All {len(columns)} columns say what they hold, what for, on which basis and for how long.")


def _columns(metadata: MetaData) -> list[Column[Any]]:
    return [column for table in metadata.sorted_tables for column in table.columns]


def nothing_overdue(application: Application) -> Finding:
    """Whether a row of some class is still there after its period."""
    classes = report_classes(application, counted=False)
    overdue = [line.retention for line in classes if line.overdue]
    if overdue:
        return Finding(False, f"Past their period: {', '.join(overdue)}.")
    return Finding(True, f"The oldest row of each of {len(classes)} classes is within its period.")


CONTROLS = (
    Control(
        "columns-say-what-for",
        "P07",
        Evidence.STATIC,
        columns_declared,
        "Every column of every table declares what it holds, what for, on which legal basis and for how long.",
        "Whether people put more into a text than it asks for.",
    ),
    Control(
        "logs-within-their-period",
        "P04",
        Evidence.OBSERVED,
        nothing_overdue,
        "The oldest row of each class of records is younger than the class's period.",
        "What somebody copied before it went.",
    ),
)
