"""Which pages there are to visit: all that `web.app.ROUTES` has, with identifiers that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pigi.operations.credentials import ADDRESS, RESET
from tests.support.contact import make_ticket
from tests.support.furnished import COLLECTIONS, VARIABLE, fill, usual
from tests.support.people import make_account_token, make_registration
from web.app import ROUTES
from web.http.routes import RouteKind, Who

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.furnished import Furnished
    from web.http.routes import Route


LEFT_AT_ONCE = frozenset({"/o/<organisation>/billing/return"})
"""Pages whose script goes elsewhere, so that there is nothing to look at; test_billing.py follows them."""
OF_DELETIONS = "/o/<organisation>/deletion"
"""The page that only an organisation has that is being deleted."""


def pages() -> list[Route]:
    """The routes that answer with a page."""
    return [
        route
        for route in ROUTES
        if route.kind is RouteKind.PAGE
        and route.path not in {*LEFT_AT_ONCE, OF_DELETIONS}
        and any("text/html" in answer.media_types for answer in route.responses)
    ]


def paths(home: Furnished, *, operator: bool = False, anonymous: bool = False) -> list[str]:
    """What a member, an operator, or nobody in particular can visit; each collection of resources once."""
    whom = {Who.OPERATOR} if operator else {Who.ANYONE}
    shown = [
        route
        for route in pages()
        if route.who in whom or (not operator and not anonymous and route.who is not Who.OPERATOR)
    ]
    return [path for route in shown for path in _filled(home, route.path)]


def paths_of_deleted(organisation: str) -> list[str]:
    """What the owner of an organisation that is being deleted can visit, each sort of page once."""
    return [f"/o/{organisation}{page}" for page in ("", "/deletion", "/exports", "/settings", "/members", "/api-keys")]


def _filled(home: Furnished, path: str) -> Iterator[str]:
    values = usual(home, path)
    if "token" in VARIABLE.findall(path):
        values["token"] = _token(home, path)
    if "ticket_number" in VARIABLE.findall(path):
        values["ticket_number"] = make_ticket(home.application).number
    if "collection" not in values:
        yield fill(path, values)
        return
    for collection in COLLECTIONS:
        resource = home.resources[collection]
        yield fill(path, {**values, "collection": collection, "resource": resource})


def _token(home: Furnished, path: str) -> str:
    if path.startswith("/welcome"):
        return make_registration(home.application)
    if path.startswith("/invitations"):
        return home.invitation_token
    return make_account_token(home.application, RESET if path.startswith("/reset") else ADDRESS)
