"""`pigi organisations`: adding, listing and showing organisations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pigi.cli.application import open_application
from pigi.cli.failures import no_such, not_found_means
from pigi.cli.output import answer, json_option, moment, table
from pigi.domain.limits import PROJECTS_KEPT, RESOURCES_KEPT
from pigi.domain.plans import PLANS, UNMETERED, Limit
from pigi.operations.accounts import find_person_by_email
from pigi.operations.audit import CLI
from pigi.operations.billing import grant_plan
from pigi.operations.organisations import create_organisation, list_organisations, oversee_organisation
from pigi.operations.plans import plan_of, stored_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pigi.application import Application
    from pigi.store.sessions import ControlSession

NO_PLAN = "none"
NO_ORGANISATION = ("There is no organisation {}.", "`pigi organisations list` shows the ids there are.")
NO_OWNER = (
    "There is no account {}.",
    "Let them register at /register on Pigi's address and confirm it, then try again; or leave out --owner.",
)
GIVEN = (*(plan.name for plan in PLANS), UNMETERED.name)
"""What may be given to an organisation that does not pay for it."""


@click.group()
def organisations() -> None:
    """Add, list and show organisations."""


@organisations.command()
@click.argument("name")
@click.option("--owner", "email", metavar="EMAIL", help="Whose it is: the address of somebody who has an account.")
@click.option(
    "--plan",
    type=click.Choice([*GIVEN, NO_PLAN]),
    default=UNMETERED.name,
    show_default=True,
    help="What it may use without paying; none leaves it to what it buys.",
)
@json_option
def add(name: str, email: str | None, plan: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Make an organisation called NAME, with a database and a data key of its own; print its id.

    Without an owner it has no members, and nobody but holders of its API keys can use it. It is the installation's
    own, so it is not metered and cannot buy a plan, unless --plan says otherwise; `pigi billing grant` changes that.
    """
    with open_application() as application:
        with not_found_means(*NO_OWNER, email or ""):
            owner = None if email is None else find_person_by_email(application, email)
        organisation_id = create_organisation(application, name, owner, plan_granter(application, plan), by=CLI)
    answer(as_json, {"id": organisation_id, "name": name, "plan": plan}, organisation_id)


def check_organisation(application: Application, organisation_id: str) -> None:
    """Raise NotFoundError unless an organisation has this id."""
    if organisation_id not in {found for found, _name, _state in list_organisations(application)}:
        raise no_such(*NO_ORGANISATION, organisation_id)


def plan_granter(application: Application, plan: str = UNMETERED.name) -> Callable[[ControlSession, str], None] | None:
    """Give a plan in the transaction that makes the organisation; None for `NO_PLAN`."""
    if plan == NO_PLAN:
        return None
    return lambda session, organisation_id: grant_plan(session, application, organisation_id, plan, CLI)


@organisations.command(name="list")
@json_option
def list_all(as_json: bool) -> None:  # noqa: FBT001 - an option
    """List organisations, oldest first."""
    with open_application() as application:
        found = list_organisations(application)
    data = [{"id": id_, "name": name, "state": state} for id_, name, state in found]
    text = table([("ID", "STATE", "NAME"), *((id_, state, name) for id_, name, state in found)])
    answer(as_json, data, text if found else "No organisation yet; `pigi organisations add NAME` makes one.")


@organisations.command()
@click.argument("organisation")
@json_option
def show(organisation: str, as_json: bool) -> None:  # noqa: FBT001 - an option
    """Show the organisation with this id: its state, its plan and counts. Never what it keeps, and nobody's name."""
    with open_application() as application, not_found_means(*NO_ORGANISATION, organisation):
        view = oversee_organisation(application, organisation)
        plan = plan_of(application, organisation)
        used = stored_of(application, organisation)
    facts = [
        ("organisation", view.id),
        ("name", view.name),
        ("state", view.state),
        ("made (UTC)", moment(view.created_at)),
        *([("deleted (UTC)", moment(view.deletion_at))] if view.deletion_at else []),
        ("plan", plan.title),
        ("owners", str(view.owners)),
        ("members", str(view.members)),
        ("API keys", str(view.api_keys)),
        ("bytes stored", _of(used.bytes, plan.most(Limit.BYTES))),
        ("writes today (UTC)", _of(used.writes_today, plan.most(Limit.WRITES))),
        ("projects", _of(used.projects, PROJECTS_KEPT)),
        ("resources", _of(used.resources, RESOURCES_KEPT)),
        ("second factor", "asked of members" if view.second_factor else "left to members"),
    ]
    limits = {limit.value: plan.most(limit) for limit in Limit}
    answer(as_json, {**vars(view), "plan": plan.name, "limits": limits, "stored": vars(used)}, table(facts))


def _of(used: int, most: int | None) -> str:
    share = "" if not most else f" ({100 * used // most} %)"
    return f"{used:,}" + ("" if most is None else f" of {most:,}{share}")
