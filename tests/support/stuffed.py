"""An organisation whose every value is as long as it may be, for tests that look whether pages hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from pigi.domain.access import Role, Scope
from pigi.domain.preconditions import Tags
from pigi.operations.configuration import ResourceAddress, create_project, create_resource, replace_resource
from pigi.store.people import Account, ApiKey
from tests.support.contents import CONTENTS, NAME_FIELDS
from tests.support.furnished import COLLECTIONS, furnish
from tests.support.people import make_account, make_invitation, make_key_row, make_member, make_session

if TYPE_CHECKING:
    from pigi.application import Application
    from tests.support.furnished import Furnished

NAME = ("Hafenmeisterei" * 9)[:120]
"""A name as long as one may be, without a space to break it at."""
IDENTIFIER = ("reviewer-of-everything-" * 4)[:63].rstrip("-")
ADDRESS = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.example"
"""254 characters, the most that fit a mail's envelope (RFC 5321)."""
TOOL = "mcp__" + "an_exceedingly_long_server_name__and_its_tool_" * 2
MANY = 6
"""Rows of each list, of which one could be short by luck."""


def stuff(application: Application) -> Furnished:
    """One of everything under long names, and several rows of what people list."""
    home = furnish(application, NAME)
    _rename(application, home)
    project = create_project(application, home.caller, NAME[:100], f"{NAME} {'of words ' * 60}").id
    for number in range(MANY):
        make_key_row(application, home.organisation, Scope)
        member = make_member(application, home.organisation, tuple(Role)[number % 3], name=NAME, email=_address(number))
        make_invitation(application, home.organisation, member, email=_address(MANY + number), role=Role.ADMIN)
        make_session(application, home.owner)
    with application.control.begin() as session:
        labels = update(ApiKey).where(ApiKey.organisation_id == home.organisation)
        session.execute(labels.values(label=NAME, created_by=home.member))
    for collection, kind in COLLECTIONS.items():
        long = {**CONTENTS[kind], **_long(kind)}
        address = ResourceAddress(home.project, kind, home.resources[collection])
        replace_resource(application, home.caller, address, Tags(anything=True), long)
        create_resource(application, home.caller, project, kind, long)
    return home


def _rename(application: Application, home: Furnished) -> None:
    with application.control.begin() as session:
        for number, account in enumerate((home.owner, home.member)):
            facts = {"name": NAME, "email": _address(100 + number)}
            session.execute(update(Account).where(Account.id == account).values(facts))


def _address(number: int) -> str:
    return f"{number:03}{ADDRESS[3:]}"


def _long(kind: str) -> dict[str, object]:
    if kind == "agent":
        return {"name": IDENTIFIER, "description": NAME * 4, "tools": [TOOL, f"{TOOL}2"], "mcp_servers": [IDENTIFIER]}
    if kind == "mcp-server":
        server = {"type": "http", "url": f"https://{'e' * 60}.example/{'p' * 300}", "headers": []}
        return {"name": IDENTIFIER, "description": NAME * 4, "transport": server}
    if kind == "document":
        return {"title": NAME, "body": f"# {NAME}\n\n{NAME * 3}\n", "applies_to": [f"src/{NAME}/**/*.py"]}
    rules = [f"Read(./{NAME}/**)", f"Bash({NAME}:*)"]
    return {NAME_FIELDS[kind]: NAME, "description": NAME * 4, "permissions": {"allow": rules[:1], "deny": rules}}


def operator_of(application: Application) -> str:
    """An operator with a long name; the account's id."""
    return make_account(application, NAME, _address(200), operator=True)
