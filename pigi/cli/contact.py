"""`pigi tickets`: what people wrote on the contact page, by when an answer is due, and answering it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.operators import NO_OPERATOR
from pigi.cli.output import answer, json_option, moment, table
from pigi.domain.contact import MESSAGE_LENGTH
from pigi.operations.audit import CLI
from pigi.operations.contact import answer_ticket, close_ticket, list_tickets, read_ticket
from pigi.operations.operators import operator_named

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.operations.contact import TicketView

NO_TICKET = ("There is no message {}.", "`pigi tickets list` shows them.")
as_option = click.option("--as", "address", help="The e-mail address of the operator who does this; cli without one.")
which = click.argument("ticket", metavar="NUMBER")


@click.group()
def tickets() -> None:
    """What people wrote on the contact page: list, show, answer and close it. NUMBER is a message's number or id."""


@tickets.command(name="list")
@click.option("--open", "only_open", is_flag=True, help="Only what waits for an answer, the most urgent first.")
@json_option
def list_all(only_open: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """List messages, the newest first, without what is in them unless --json is given."""
    with open_application() as application:
        found = list_tickets(application, is_open=only_open or None, limit=None)
    rows = [("NUMBER", "ABOUT", "STATE", "RECEIVED (UTC)", "DUE (UTC)"), *(_row(view) for view in found)]
    answer(as_json, [vars(view) for view in found], table(rows) if found else "Nobody has written.")


@tickets.command()
@which
@json_option
def show(ticket: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show the message NUMBER, with what was written and answered."""
    with open_application() as application, not_found_means(*NO_TICKET, ticket):
        view = read_ticket(application, ticket)
    lines = [
        (name.replace("_", " "), moment(value) if hasattr(value, "tzinfo") else str(value))
        for name, value in vars(view).items()
        if value is not None
    ]
    answer(as_json, vars(view), table(lines))


@tickets.command(name="answer")
@which
@click.option("--text", required=True, help="The answer; whoever wrote gets it by mail.")
@as_option
@json_option
def give_answer(ticket: str, text: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Answer the message NUMBER."""
    if not 1 <= len(text.strip()) <= MESSAGE_LENGTH:
        message = f"must have 1 to {MESSAGE_LENGTH} characters"
        raise click.BadParameter(message, param_hint="--text")
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_TICKET, ticket):
            view = answer_ticket(application, operator, read_ticket(application, ticket).id, text)
    answer(as_json, vars(view), "It is answered; the mail is on its way.")


@tickets.command()
@which
@as_option
@json_option
def close(ticket: str, address: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Close the message NUMBER, answered or not. Nobody is mailed."""
    with open_application() as application:
        operator = _operator(application, address)
        with not_found_means(*NO_TICKET, ticket):
            view = close_ticket(application, operator, read_ticket(application, ticket).id)
    answer(as_json, vars(view), "It is closed.")


def _operator(application: Application, address: str | None) -> str:
    if address is None:
        return CLI
    with not_found_means(*NO_OPERATOR, address):
        return operator_named(application, address)


def _row(view: TicketView) -> tuple[str, ...]:
    overdue = " overdue" if view.overdue else ""
    return (view.number, view.kind, view.state, moment(view.received_at), f"{moment(view.due_at)}{overdue}")
