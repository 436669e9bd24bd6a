"""Pages that find projects and resources by name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import request

from pigi.domain.access import Action
from pigi.domain.searching import QUERY_LENGTH
from pigi.operations.configuration import search_names
from pigi.operations.organisations import organisations_of
from web.http.replies import Reply
from web.http.routes import Who
from web.pages.shell.layout import OWN, draw, page

if TYPE_CHECKING:
    from web.http.context import AccountContext, OrganisationContext

MOST = 50


def search_page(context: OrganisationContext) -> Reply:
    """What was found by its name in an organisation."""
    text = _typed()
    result = search_names(context.application, context.caller, text, MOST)
    return draw(context, "search/search.html", here="search", sought=text, result=result, most=MOST)


def choose_search_page(context: AccountContext) -> Reply:
    """Where to search, from a page of no organisation: at once in the only one there is."""
    mine = [one for one in organisations_of(context.application, context.account) if one.purge_at is None]
    asked = urlencode({"q": _typed()})
    if len(mine) == 1:
        there = f"/o/{mine[0].id}/search?{asked}"
        return Reply(status=303, headers={"Location": there, "Cache-Control": "no-store"})
    places = [(one.name, f"/o/{one.id}/search?{asked}") for one in mine]
    return draw(context, "search/choose.html", here="search", sought=_typed(), places=places)


def _typed() -> str:
    return request.args.get("q", "")[:QUERY_LENGTH].strip()


ROUTES = (
    page("/search", choose_search_page, Who.PERSON),
    page(f"{OWN}/search", search_page, Action.CONFIGURATION_READ),
)
