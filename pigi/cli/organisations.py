"""`pigi organisations`."""

from __future__ import annotations

import click

from pigi.cli.opening import opened
from pigi.cli.output import answer, json_option, table
from pigi.operations.accounts import find_person
from pigi.operations.audit import CLI
from pigi.operations.organisations import create_organisation, list_organisations


@click.group()
def organisations() -> None:
    """Add and list organisations."""


@organisations.command()
@click.argument("name")
@click.option("--owner", "email", metavar="EMAIL", help="Whose it is: the address of somebody who has an account.")
@json_option
def add(name: str, email: str | None, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Make an organisation called NAME, with a database and a data key of its own; print its id.

    Without an owner it has no members, and nobody but holders of its API keys can use it.
    """
    with opened() as application:
        owner = find_person(application, email) if email else None
        organisation_id = create_organisation(application, name, owner, by=CLI)
    answer(as_json, {"id": organisation_id, "name": name}, organisation_id)


@organisations.command(name="list")
@json_option
def list_all(as_json: bool) -> None:  # noqa: FBT001 - an option
    """List organisations, oldest first."""
    with opened() as application:
        found = list_organisations(application)
    data = [{"id": id_, "name": name, "state": state} for id_, name, state in found]
    text = table([("ID", "STATE", "NAME"), *((id_, state, name) for id_, name, state in found)])
    answer(as_json, data, text if found else "No organisation yet; `pigi organisations add NAME` makes one.")
