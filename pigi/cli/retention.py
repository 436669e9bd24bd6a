"""`pigi retention`: the retention periods, and a report whether they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.output import answer, green, json_option, moment, red, table
from pigi.operations.retention import report_classes

if TYPE_CHECKING:
    from datetime import timedelta

    from pigi.operations.retention import ClassReport


@click.group()
def retention() -> None:
    """Show what is kept for how long."""


@retention.command(name="report")
@json_option
def show(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show each class of records with its period and its oldest row; exit with 1 if anything is overdue.

    OLDEST is when the period of the oldest row began. What organisations' own databases hold is counted by the
    jobs whose cleanup still has to erase it, organisations by those that were deleted and are not gone.
    """
    with open_application() as application:
        found = report_classes(application)
    overdue = [line.retention for line in found if line.overdue]
    rows = [("CLASS", "KEPT", "ROWS", "OLDEST (UTC)", ""), *(_row(line) for line in found)]
    verdict = red(f"Overdue: {', '.join(overdue)}.") if overdue else green("Nothing is overdue.")
    classes = [{**vars(line), "keep": _seconds(line.keep)} for line in found]
    answer(as_json, {"ok": not overdue, "classes": classes}, f"{table(rows)}\n\n{verdict}")
    if overdue:
        raise click.exceptions.Exit(1)


def _row(line: ClassReport) -> tuple[str, ...]:
    rows = "-" if line.rows is None else str(line.rows)
    return line.retention, _words(line.keep), rows, moment(line.oldest), "overdue" if line.overdue else ""


def _words(period: timedelta | None) -> str:
    if period is None:
        return "while active"
    hours = int(period.total_seconds() // 3600)
    return f"{hours} hours" if 0 < hours <= 24 else f"{hours // 24} days" if hours else "not at all"  # noqa: PLR2004


def _seconds(period: timedelta | None) -> int | None:
    return None if period is None else int(period.total_seconds())
