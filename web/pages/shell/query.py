"""Reading a page's query string. Pages forgive: what they do not know, or what has another form, is left out."""

from __future__ import annotations

import re
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from pigi.ids import is_id
from web.http.paging import read_page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from typing import TypeVar

    from web.http.paging import Place, Reader, Stretch

    Item = TypeVar("Item")

PAGE = 50
HOME = "/dashboard"
LONGEST = 2000

# Visible ASCII. A browser reads a backslash as a slash, and drops tabs and line breaks (WHATWG URL, section 4.4);
# braces are where scripts fill something in, and no address of Pigi's has any.
_PLACE = re.compile(r"(/[!-\[\]-z|~]*?)([?#][!-\[\]-z|~]*)?")
_STEP = re.compile(r"/(?:\.|%2e){0,2}(?=/)|/(?:\.|%2e){1,2}$", re.IGNORECASE)


def one_of(name: str, known: Collection[str], otherwise: str = "") -> str:
    """The query's ``name`` if it is one of ``known``."""
    value = request.args.get(name, "")
    return value if value in known else otherwise


def id_of(name: str) -> str | None:
    """The query's ``name`` if it is an identifier."""
    value = request.args.get(name, "")
    return value if is_id(value) else None


def number_of(name: str) -> int | None:
    """The query's ``name`` if it is a number of up to nine digits."""
    value = request.args.get(name, "")
    return int(value) if re.fullmatch("[0-9]{1,9}", value) else None


def local_path(text: str) -> str:
    """``text`` if it is the address of one of Pigi's own pages, or else the dashboard.

    Nobody is sent elsewhere after signing in. The page's script looks once more (`web/static/places.js`).
    """
    # A browser leaves braces in a query as they were typed, and nothing there names a place.
    path, mark, asked = text.partition("?")
    text = path + mark + asked.replace("{", "%7B").replace("}", "%7D")
    found = _PLACE.fullmatch(text) if len(text) <= LONGEST else None
    return text if found is not None and not _STEP.search(found[1]) and _is_page(unquote(found[1])) else HOME


def _is_page(path: str) -> bool:
    try:
        endpoint, _arguments = current_app.url_map.bind("").match(path, "GET")
    except (HTTPException, RequestRedirect):
        return False
    return endpoint in current_app.extensions["pigi pages"]


def day_of(name: str) -> date | None:
    """The query's ``name`` if it is a day, as a date field sends it."""
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None


def paged(read: Reader[Item], place: str, edge: Callable[[str], Place | None] = id_of) -> Stretch[Item]:
    """The page of a list that the query asks for, with the ways on and back.

    ``place`` is the field of an item that ``before`` and ``after`` take, and ``edge`` reads them.
    """
    after = edge("after")
    edges = (None if after is not None else edge("before"), after)
    return read_page(read, attrgetter(place), PAGE, request.args.to_dict(), edges)
