"""Reading a page's query string. Pages forgive: what they do not know, or what has another form, is left out."""

from __future__ import annotations

import re
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request

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

# Visible ASCII; a browser reads a backslash as a slash, and drops tabs and line breaks (WHATWG URL, section 4.4).
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


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
    """``text`` if it is a path of this site, or else the dashboard: nobody is sent elsewhere after signing in."""
    split = urlsplit(text) if len(text) <= LONGEST and _PATH.fullmatch(text) else None
    return text if split is not None and not split.scheme and not split.netloc else HOME


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
