"""Lists in pages: the query that asks for one, and the path of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from flask import request

from web.http.texts import ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PAGE = 50
LARGEST_PAGE = 100

LIMIT: dict[str, Any] = {
    "description": f"a whole number from 1 to {LARGEST_PAGE}; {PAGE} if left out",
    "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
}
BEFORE_ID: dict[str, Any] = {
    "description": "the id of the last one of the page before",
    "schema": {"type": "string", "format": "uuid", "pattern": ID_PATTERN},
}
BEFORE_NUMBER: dict[str, Any] = {
    "description": "the number of the last one of the page before",
    "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
}
STATE: dict[str, Any] = {
    "description": "active or archived; active if left out",
    "schema": {"type": "string", "enum": ["active", "archived"], "default": "active"},
}

Item = TypeVar("Item")


def limit_of(query: Mapping[str, str]) -> int:
    """How many the page may hold; ask for one more, which says whether there is another page."""
    return int(query.get("limit", PAGE))


def page(
    query: Mapping[str, str], found: Sequence[Item], place: Callable[[Item], object]
) -> tuple[Sequence[Item], str | None]:
    """The page, and the path of the next one or None; ``place`` is what ``before`` takes of the last item."""
    limit = limit_of(query)
    shown = found[:limit]
    if len(found) <= limit:
        return shown, None
    return shown, f"{request.path}?{urlencode({**query, 'before': place(shown[-1])})}"
