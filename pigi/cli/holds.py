"""`pigi holds`: legal holds, which keep an organisation's records of a class beyond their period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pigi.cli.application import open_application
from pigi.cli.arguments import DAY
from pigi.cli.failures import not_found_means
from pigi.cli.operators import NO_OPERATOR
from pigi.cli.organisations import NO_ORGANISATION
from pigi.cli.output import answer, json_option, table
from pigi.operations.operators import operator_named
from pigi.operations.retention import HOLDABLE, NewHold, add_hold, approve_hold, list_holds, release_hold

if TYPE_CHECKING:
    from datetime import datetime

    from pigi.application import Application
    from pigi.operations.retention import HoldView

as_option = click.option("--as", "address", required=True, help="The e-mail address of the operator who does this.")
NO_HOLD = ("There is no hold {}.", "`pigi holds list` shows them.")


@click.group()
def holds() -> None:
    """Add, approve, release and list legal holds, which keep an organisation's records beyond their period."""


@holds.command()
@click.option("--organisation", required=True, help="The organisation's id.")
@click.option("--class", "retention", required=True, type=click.Choice([str(one) for one in HOLDABLE]))
@click.option("--reason", required=True, help="Why the records must be kept, on one line.")
@click.option("--review", required=True, type=DAY, help="The day to look again.")
@as_option
@json_option
def add(organisation: str, retention: str, reason: str, review: datetime, address: str, as_json: bool) -> None:  # noqa: FBT001, PLR0913 - options
    """Propose a hold. It counts once another operator approves it."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_ORGANISATION, organisation):
            hold_id = add_hold(application, operator, NewHold(organisation, retention, reason, review.date()))
    answer(as_json, {"id": hold_id, "state": "proposed"}, hold_id)


@holds.command()
@click.argument("hold_id", metavar="ID")
@as_option
@json_option
def approve(hold_id: str, address: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Let the hold ID count from now on, as another operator than the one who added it."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_HOLD, hold_id):
            view = approve_hold(application, operator, hold_id)
    answer(as_json, _shown(view), "The hold counts from now on.")


@holds.command()
@click.argument("hold_id", metavar="ID")
@as_option
@json_option
def release(hold_id: str, address: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """End the hold ID, or withdraw it; the next sweeps remove what is over its period."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_HOLD, hold_id):
            view = release_hold(application, operator, hold_id)
    answer(as_json, _shown(view), "The hold is over.")


@holds.command(name="list")
@json_option
def list_all(as_json: bool) -> None:  # noqa: FBT001 - an option
    """List holds, the newest first."""
    with open_application() as application:
        found = list_holds(application)
    rows = [
        (view.id, view.state, view.retention, f"{view.review_on}{' overdue' if view.overdue else ''}", view.reason)
        for view in found
    ]
    text = table([("ID", "STATE", "CLASS", "REVIEW", "REASON"), *rows])
    answer(as_json, [_shown(view) for view in found], text if found else "Nothing is held.")


def _operator(application: Application, address: str) -> str:
    with not_found_means(*NO_OPERATOR, address):
        return operator_named(application, address)


def _shown(view: HoldView) -> dict[str, Any]:
    return {"class": view.retention, **vars(view)}
