"""`pigi promises`: how each promise stands, and checking them now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.arguments import DAY, said_back
from pigi.cli.failures import not_found_means
from pigi.cli.operators import NO_OPERATOR
from pigi.cli.output import answer, green, json_option, moment, red, table
from pigi.cli.receipts import FILE, parsed, public_keys
from pigi.domain.limits import is_line
from pigi.domain.promises_document import contradictions, is_promises
from pigi.operations.operators import operator_named
from pigi.operations.promises import (
    STATEMENT_LENGTH,
    all_controls,
    attest,
    check_controls,
    document_of,
    promises_standing,
    withdraw_attestation,
)
from pigi.store.signing import is_document_signed

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pigi.application import Application
    from pigi.operations.promises import ControlStanding, PromiseStanding

NO_DOCUMENT = 2
NO_CONTROL = (
    "There is no control {} that somebody can answer for, or nobody does.",
    "`pigi promises --json` shows the controls of kind attested; /operate/promises shows all.",
)
as_option = click.option("--as", "address", required=True, help="The e-mail address of the operator who does this.")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def promises(context: click.Context, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show how each promise stands; exit with 1 if one is failing. `pigi promises run` checks now."""
    if context.invoked_subcommand is not None:
        return
    with open_application() as application:
        standings = promises_standing(application)
        document = document_of(application, standings)
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
        message = f"there is no control called {said_back(unknown[0])}; `pigi promises --json` names all"
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


@promises.command(name="attest")
@click.argument("control")
@as_option
@click.option("--until", required=True, type=DAY, help="The last day on which it counts.")
@click.option("--statement", required=True, help="What you answer for, in a line. It is public, word by word.")
@json_option
def answer_for(control: str, address: str, until: datetime, statement: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Answer for CONTROL, which no program can check. The page shows that an operator does, and until when."""
    if not is_line(statement, STATEMENT_LENGTH):
        message = f"must be a line of 1 to {STATEMENT_LENGTH} characters"
        raise click.BadParameter(message, param_hint="--statement")
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_CONTROL, control):
            standing = attest(application, operator, control, statement.strip(), until.date())
    said = f"{control} counts as attested until {moment(standing.valid_until)} UTC."
    answer(as_json, _attested(standing), green(said))


@promises.command()
@click.argument("control")
@as_option
@json_option
def withdraw(control: str, address: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Take back what is answered for CONTROL: its promise is stale until somebody answers for it again."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_CONTROL, control):
            standing = withdraw_attestation(application, operator, control)
    answer(as_json, _attested(standing), f"Nobody answers for {control} any more.")


@promises.command()
@click.argument("file", type=FILE)
@click.option(
    "--keys", type=FILE, help="A saved copy of /.well-known/pigi-keys.json; otherwise the own keyring's keys."
)
@json_option
def verify(file: Path, keys: Path | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Check the document of the promises in FILE, offline.

    Exit with 1 if it was altered, signed by others, or says more than its own evidence; with 2 if it is no such
    document.
    """
    document = parsed(file.read_bytes())
    if document is None or not is_promises(document):
        answer(
            as_json, {"valid": False, "flaws": [], "generated_at": None}, red("This is no document of the promises.")
        )
        raise click.exceptions.Exit(NO_DOCUMENT)
    flaws = [] if is_document_signed(document, public_keys(keys)) else ["It was altered, or signed by others."]
    try:
        flaws += contradictions(document)
    except ValueError:
        flaws.append("It has not the form of /api/v1/schemas/promises.json.")
    made = document["generated_at"]
    words = (
        red("\n".join(flaws)) if flaws else green(f"It is as it was signed, and says no more than it can, at {made}.")
    )
    answer(as_json, {"valid": not flaws, "flaws": flaws, "generated_at": made}, words)
    if flaws:
        raise click.exceptions.Exit(1)


def _operator(application: Application, address: str) -> str:
    with not_found_means(*NO_OPERATOR, address):
        return operator_named(application, address)


def _attested(standing: ControlStanding) -> dict[str, Any]:
    return {
        "control": standing.control.name,
        "promise": standing.control.promise,
        "state": standing.state.value,
        "evidence": standing.evidence,
        "valid_until": standing.valid_until,
    }


def _row(standing: PromiseStanding) -> tuple[str, ...]:
    return (standing.id, standing.state.value, moment(standing.checked_at), standing.title)
