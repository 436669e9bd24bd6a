"""With another organisation's identifiers there is nothing to be had, and its database is not opened (P08, P16)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pigi.domain.access import Action, Caller
from tests.access.asks import Ask, ask_of
from tests.access.callers import CALLERS
from tests.access.conftest import outcome
from tests.access.openings import connections, of_organisation, openings
from tests.access.table import read
from tests.support.furnished import VARIABLE
from tests.support.stack import until
from web.app import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.access.conftest import Installation
    from tests.access.table import Row

DECLARED = {f"{route.method} {route.path}" for route in ROUTES if isinstance(route.who, Action)}
"""The routes that belong to an organisation."""
INSIDE = [row for row in read() if row.route in DECLARED]
PARTS = [row for row in INSIDE if "<organisation>" in row.path and not row.way and len(VARIABLE.findall(row.path)) > 1]
"""Those that name something in it."""
INSIDERS = ("member", "admin", "owner", "key-read", "key-write", "key-generate")
SERVER_SECONDS = 20


@contextmanager
def left_alone(installation: Installation, organisation: str) -> Iterator[None]:
    """Nobody opens the organisation's database during the block."""
    close(installation, organisation)
    with openings() as found:
        yield
    assert of_organisation(found, organisation) == set()
    if on_server(installation):
        assert connections(installation.settings, organisation) == 0


def close(installation: Installation, organisation: str) -> None:
    """No pool keeps a connection that would be used without being opened."""
    for application in (installation.application, installation.away.application):
        application.tenants.forget(organisation)
    if on_server(installation):
        gone = lambda: connections(installation.settings, organisation) == 0
        until(gone, SERVER_SECONDS, "the server has closed all connections")


def on_server(installation: Installation) -> bool:
    return not installation.settings.database_url.startswith("sqlite")


def test_every_route_that_declares_an_action_has_its_row_and_is_nothing_to_a_stranger() -> None:
    assert {row.route for row in INSIDE} == DECLARED
    assert {row.outcomes["stranger"] for row in INSIDE} == {"404"}


@pytest.mark.parametrize("row", INSIDE, ids=lambda row: row.name)
def test_anothers_identifiers_are_those_of_nothing(installation: Installation, row: Row) -> None:
    away = installation.away
    callers = {name: CALLERS[name](installation.app, installation.home, away) for name in INSIDERS}
    # One request for all: none of them can use it up.
    asked = ask_of(row.name)(away, callers["owner"])
    found = {}
    with left_alone(installation, away.organisation):
        for name, caller in callers.items():
            with installation.ask(caller, row.method, row.path, asked, away) as answer:
                found[name] = outcome(answer, asked)
    wanted = {name: "in" if row.outcomes[name] == "in" else "404" for name in INSIDERS}
    assert found == wanted


@pytest.mark.parametrize("row", PARTS, ids=lambda row: row.name)
def test_nor_can_they_be_reached_by_way_of_ones_own(installation: Installation, row: Row) -> None:
    """The caller's own organisation, and in it the other's project, resource, key and so on."""
    away = installation.away
    callers = {
        name: CALLERS[name](installation.app, installation.home, away)
        for name in INSIDERS
        if row.outcomes[name] == "ok"
    }
    there = ask_of(row.name)(away, callers["owner"])
    own = {"organisation": installation.home.organisation}
    asked = Ask({**there.values, **own}, there.body, there.query, there.headers)
    with left_alone(installation, away.organisation):
        for name, caller in callers.items():
            with installation.ask(caller, row.method, row.path, asked, away) as answer:
                assert (name, outcome(answer, asked)) == (name, "404")


def test_an_opened_database_would_be_seen(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is made to let everybody in: the detector must find what that leads to."""
    away, path = installation.away, "/api/v1/organisations/<organisation>/projects"
    monkeypatch.setattr(
        "web.http.auth.authorise", lambda _application, _who, organisation, _action: Caller(organisation)
    )
    owner = CALLERS["owner"](installation.app, installation.home, away)
    close(installation, away.organisation)
    with openings() as found, installation.ask(owner, "GET", path, Ask(), away) as answer:
        assert answer.status_code == 200
    assert of_organisation(found, away.organisation)
    if on_server(installation):
        assert connections(installation.settings, away.organisation) > 0
