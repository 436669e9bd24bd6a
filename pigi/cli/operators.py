"""`pigi operators`: adding, listing, disabling and enabling those who run Pigi, and what they lost."""

from __future__ import annotations

import sys

import click

from pigi.cli.application import open_application
from pigi.cli.failures import not_found_means
from pigi.cli.output import answer, json_option, moment, table
from pigi.operations.operators import add_operator, disable_operator, enable_operator, list_operators
from pigi.operations.second_factors import reset_second_factor

NO_OPERATOR = ("There is no operator {}.", "`pigi operators list` shows them; one who is disabled can do nothing.")


@click.group()
def operators() -> None:
    """Add, list, disable and enable operators: accounts that run Pigi and belong to no organisation."""


@operators.command()
@click.argument("email")
@click.option("--name", required=True, help="What the operator is called.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@json_option
def add(email: str, name: str, password_stdin: bool, as_json: bool) -> None:  # noqa: FBT001 - options
    """Make an operator's account for EMAIL. The password is asked for twice, and never taken from an argument."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _asked()
    with open_application() as application:
        account_id = add_operator(application, email, name, password)
    answer(as_json, {"id": account_id, "email": email, "name": name}, account_id)


@operators.command(name="list")
@json_option
def list_all(as_json: bool) -> None:  # noqa: FBT001 - an option
    """List operators, the oldest first."""
    with open_application() as application:
        found = list_operators(application)
    rows = [(view.id, view.state, moment(view.created_at), view.email, view.name) for view in found]
    text = table([("ID", "STATE", "MADE (UTC)", "E-MAIL", "NAME"), *rows])
    answer(as_json, found, text if found else "No operator yet; `pigi operators add EMAIL --name NAME` makes one.")


@operators.command()
@click.argument("email")
@json_option
def disable(email: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Keep the operator with EMAIL out from now on, and end their sessions."""
    with open_application() as application, not_found_means(*NO_OPERATOR, email):
        account_id = disable_operator(application, email)
    text = "The operator is disabled and signed out. `pigi operators enable` lets them in again."
    answer(as_json, {"id": account_id, "state": "disabled"}, text)


@operators.command()
@click.argument("email")
@json_option
def enable(email: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Let the operator with EMAIL sign in again, with the password that they had."""
    with open_application() as application, not_found_means(*NO_OPERATOR, email):
        account_id = enable_operator(application, email)
    answer(as_json, {"id": account_id, "state": "active"}, "The operator may sign in again.")


@operators.command(name="reset-second-factor")
@click.argument("email")
@json_option
def reset_factor(email: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Take the second factor off the operator with EMAIL, who lost their device, and end their sessions."""
    with open_application() as application, not_found_means(*NO_OPERATOR, email):
        account_id = reset_second_factor(application, email, operator=True)
    text = "The second factor is off, and a mail says so. The operator sets up another at the next sign-in."
    answer(as_json, {"id": account_id, "second_factor": "off"}, text)


def _asked() -> str:
    if not sys.stdin.isatty():
        message = "there is no terminal to ask on; use --password-stdin"
        raise click.UsageError(message)
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    return password
