"""`pigi usage`: what is left of usage, in counts that are about nobody."""

from __future__ import annotations

import click

from pigi.cli.application import open_application
from pigi.cli.output import answer, json_option, table
from pigi.domain.usage import LEAST_ORGANISATIONS, MOST_BY_ONE
from pigi.operations.usage import LONGEST, read_usage


@click.command()
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, LONGEST), help="How many days.")
@json_option
def usage(days: int, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show how often features were used on the days that are over."""
    with open_application() as application:
        view = read_usage(application, days)
    rows = [("FEATURE", "USES", "DAYS SHOWN")]
    for feature in view.features:
        shown = sum(count is not None for count in feature.counts)
        rows.append((feature.title, f"{feature.total:,}" if shown else "-", f"{shown} of {days}"))
    rule = (
        f"Left out of a day: what fewer than {LEAST_ORGANISATIONS} organisations used, and what one alone\n"
        f"had more than one in {MOST_BY_ONE} uses of. Counts are rounded; sums are of what is shown."
    )
    answer(as_json, view, f"{table(rows)}\n\n{rule}")
