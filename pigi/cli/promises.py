"""`pigi promises`: how each promise stands, and checking them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.output import answer, green, json_option, moment, red, table
from pigi.operations.promises import all_controls, check_controls, promises_document, promises_standing

if TYPE_CHECKING:
    from pigi.operations.promises import PromiseStanding


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def promises(context: click.Context, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show how each promise stands; exit with 1 if one is failing. `pigi promises run` checks now."""
    if context.invoked_subcommand is not None:
        return
    with open_application() as application:
        standings = promises_standing(application)
        document = promises_document(application)
    failing = [standing.id for standing in standings if standing.state == "failing"]
    rows = [("ID", "STATE", "CHECKED (UTC)", "PROMISE"), *(_row(standing) for standing in standings)]
    verdict = red(f"Failing: {', '.join(failing)}.") if failing else green("Nothing is failing.")
    answer(as_json, document, f"{table(rows)}\n\n{verdict}")
    if failing:
        raise click.exceptions.Exit(1)


@promises.command()
@click.argument("names", nargs=-1, metavar="[CONTROL]...")
@json_option
def run(names: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - an option
    """Check all controls now, or those that are named; exit with 1 if one fails or comes to no finding."""
    known = all_controls()
    unknown = [name for name in names if name not in known]
    if unknown:
        message = f"there is no control called {unknown[0]}; `pigi promises --json` names all"
        raise click.BadParameter(message, param_hint="CONTROL")
    with open_application() as application:
        outcomes = check_controls(application, [known[name] for name in names or known])
    found = {name: None if outcome is None else outcome.value for name, outcome in outcomes.items()}
    bad = [name for name, outcome in found.items() if outcome != "holding"]
    rows = [("CONTROL", "PROMISE", "FOUND"), *((n, known[n].promise, o or "no finding") for n, o in found.items())]
    verdict = red(f"Not holding: {', '.join(bad)}.") if bad else green("All that was checked holds.")
    controls = [{"name": name, "promise": known[name].promise, "outcome": outcome} for name, outcome in found.items()]
    answer(as_json, {"ok": not bad, "controls": controls}, f"{table(rows)}\n\n{verdict}")
    if bad:
        raise click.exceptions.Exit(1)


def _row(standing: PromiseStanding) -> tuple[str, ...]:
    return (standing.id, standing.state.value, moment(standing.checked_at), standing.title)
