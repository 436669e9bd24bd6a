"""`pigi retention`: the retention periods, a report whether they are kept, and sweeping now."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.output import answer, green, json_option, moment, red, table
from pigi.domain.retention import SWEPT, Retention
from pigi.jobs.execution.isolation import Isolation
from pigi.operations.retention import report_classes, run_sweep

if TYPE_CHECKING:
    from datetime import timedelta

    from pigi.application import Application
    from pigi.operations.retention import ClassReport


@click.group()
def retention() -> None:
    """Show what is kept for how long, and remove what is over its period."""


@retention.command(name="report")
@json_option
def show(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show each class of records with its period and its oldest row; exit with 1 if anything is overdue.

    OLDEST is when the period of the oldest row began. DUE rows go with the next sweep, HELD ones would but for a
    legal hold. What organisations' own databases hold is counted by the jobs whose cleanup still has to erase it,
    organisations by those that were deleted and are not gone.
    """
    with open_application() as application:
        found = report_classes(application)
    overdue = [line.retention for line in found if line.overdue]
    rows = [("CLASS", "KEPT", "ROWS", "OLDEST (UTC)", "DUE", "HELD", ""), *(_row(line) for line in found)]
    verdict = red(f"Overdue: {', '.join(overdue)}.") if overdue else green("Nothing is overdue.")
    classes = [{"class": line.retention, **vars(line), "keep": _seconds(line.keep)} for line in found]
    answer(as_json, {"ok": not overdue, "classes": classes}, f"{table(rows)}\n\n{verdict}")
    if overdue:
        raise click.exceptions.Exit(1)


@retention.command()
@click.option("--class", "only", type=click.Choice([str(one) for one in SWEPT]), help="Sweep this class alone.")
@json_option
def run(only: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Remove now what is over its period, as the hourly sweeps do; exit with 1 if some could not be removed."""
    isolation = Isolation("retention")
    removed: dict[Retention, int | None] = dict.fromkeys([Retention(only)] if only else SWEPT)
    with open_application() as application:
        for retention_class in removed:
            with isolation.of(retention_class):
                removed[retention_class] = _swept(application, retention_class, shown=not as_json)
    classes: list[dict[str, Any]] = [{"class": str(one), "removed": count} for one, count in removed.items()]
    failed = [str(one) for one, count in removed.items() if count is None]
    total = sum(count or 0 for count in removed.values())
    rows = [(line["class"], "failed" if line["removed"] is None else str(line["removed"])) for line in classes]
    verdict = red(f"Failed: {', '.join(failed)}.") if failed else green(f"{total} removed.")
    text = f"{table([('CLASS', 'REMOVED'), *rows])}\n\n{verdict}"
    answer(as_json, {"ok": not failed, "removed": total, "classes": classes}, text)
    if failed:
        raise click.exceptions.Exit(1)


def _swept(application: Application, retention_class: Retention, *, shown: bool) -> int:
    """Sweep a class with its progress on a terminal; how many rows went."""
    done = 0

    def after_batch(count: int) -> None:
        nonlocal done
        done += count
        if shown and sys.stderr.isatty():
            click.echo(f"\r{retention_class}: {done} removed", nl=False, err=True)

    count = run_sweep(application, retention_class, after_batch)
    if done and shown and sys.stderr.isatty():
        click.echo(err=True)
    return count


def _row(line: ClassReport) -> tuple[str, ...]:
    rows = "-" if line.rows is None else str(line.rows)
    counts = tuple(str(count) if count else "-" for count in (line.due, line.held))
    return line.retention, _words(line.keep), rows, moment(line.oldest), *counts, "overdue" if line.overdue else ""


def _words(period: timedelta | None) -> str:
    if period is None:
        return "while active"
    hours = int(period.total_seconds() // 3600)
    return f"{hours} hours" if 0 < hours <= 24 else f"{hours // 24} days" if hours else "not at all"  # noqa: PLR2004


def _seconds(period: timedelta | None) -> int | None:
    return None if period is None else int(period.total_seconds())
