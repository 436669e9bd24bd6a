"""`pigi erase` and `pigi deletions`: deletions that operators start and follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.organisations import NO_ORGANISATION
from pigi.cli.output import answer, green, json_option, moment, red, table
from pigi.domain.deletions import DeletionScope, DeletionState
from pigi.errors import Refused
from pigi.operations.accounts import find_person_by_email
from pigi.operations.audit import CLI
from pigi.operations.deletion import erase, list_deletions

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pigi.application import Application
    from pigi.operations.deletion import DeletionCase, DeletionView

NO_ACCOUNT = ("There is no account {}.", "Give the address that its owner signs in with.")


@click.command(name="erase")
@click.option("--organisation", metavar="ID", help="Delete this organisation.")
@click.option("--account", "email", metavar="ADDRESS", help="Delete the account with this address.")
@click.option("--along", multiple=True, metavar="ID", help="An organisation that this account alone owns; repeatable.")
@click.option("--reason", required=True, metavar="WORDS", help="Why; it is kept in the audit log.")
@json_option
def erase_subject(
    organisation: str | None,
    email: str | None,
    along: tuple[str, ...],
    reason: str,
    as_json: bool,  # noqa: FBT001 - an option
) -> None:
    """Start a deletion, as its owner would: it can be undone for 7 days, and ends with a receipt.

    The owners, or the person, are told by mail at once. An account that alone owns organisations goes with them, if
    each is named with --along, or not at all.
    """
    if (organisation is None) == (email is None):
        message = "give either --organisation or --account"
        raise click.UsageError(message)
    with open_application() as application, _named(organisation, email):
        if organisation is not None:
            view = erase(application, DeletionScope.ORGANISATION, organisation, CLI, reason)
        else:
            view = _erase_account(application, email or "", reason, along)
    until, receipt = moment(view.restorable_until), f"/api/v1/receipts/{view.receipt_id}"
    text = f"Deletion {view.id}. It can be undone until {until} UTC; the receipt will be at {receipt}."
    answer(as_json, _facts(view), text)


def _named(organisation: str | None, email: str | None) -> AbstractContextManager[None]:
    """What was named may not be there."""
    if organisation is not None:
        return not_found_means(*NO_ORGANISATION, organisation)
    return not_found_means(*NO_ACCOUNT, email or "")


def _erase_account(application: Application, email: str, reason: str, along: tuple[str, ...]) -> DeletionView:
    account_id = find_person_by_email(application, email).account_id
    try:
        return erase(application, DeletionScope.ACCOUNT, account_id, CLI, reason, along)
    except Refused as refused:
        owned = refused.details.get("organisations")
        for one in owned if isinstance(owned, list) else ():
            click.echo(f"{one['id']}  {one['name']}", err=True)
        raise


@click.command()
@json_option
def deletions(as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show deletions that are under way, then those done lately; exit with 1 if any is overdue.

    DONE counts steps. What is held waits for the release of a legal hold: see `pigi holds list`.
    """
    with open_application() as application:
        found = list_deletions(application)
    late = sum(case.overdue for case in found)
    rows = [("DELETION", "OF", "STATE", "DONE", "FINAL BY (UTC)", ""), *(_row(case) for case in found)]
    cases = [{**_facts(case.deletion), "held": case.held, "overdue": case.overdue} for case in found]
    verdict = red(f"Overdue: {late}.") if late else green("Nothing is overdue.")
    answer(as_json, {"ok": not late, "deletions": cases}, f"{table(rows)}\n\n{verdict}" if found else "There is none.")
    if late:
        raise click.exceptions.Exit(1)


def _row(case: DeletionCase) -> tuple[str, ...]:
    view = case.deletion
    done = sum(step.done_at is not None for step in view.steps)
    note = "held" if case.held else "overdue" if case.overdue else ""
    what = f"{view.scope} {view.subject_id or '-'}"
    ends = "done" if view.state is DeletionState.DONE else moment(view.final_by)
    return view.id, what, view.state, f"{done} of {len(view.steps)}", ends, note


def _facts(view: DeletionView) -> dict[str, Any]:
    return {
        "id": view.id,
        "scope": view.scope,
        "subject": view.subject_id,
        "state": view.state,
        "requested_at": view.requested_at,
        "restorable_until": view.restorable_until,
        "final_by": view.final_by,
        "receipt": view.receipt_id,
        "steps": [{"name": step.name, "state": step.state, "count": step.count} for step in view.steps],
    }
