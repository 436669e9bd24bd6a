"""One page of a list, and the ways on and back: the same for the API and for pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from urllib.parse import urlencode

from flask import request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)
Place = str | int


class Reader(Protocol[Item_co]):
    """Reads a stretch of a list: at most ``limit`` items that follow ``before``, or that lead up to ``after``."""

    def __call__(self, *, limit: int, before: Place | None, after: Place | None) -> Sequence[Item_co]: ...


@dataclass(frozen=True)
class Stretch(Generic[Item]):
    """One page: its items, and the paths of the pages that follow and precede it, None at the ends."""

    items: Sequence[Item]
    next: str | None = None
    previous: str | None = None


def read_page(
    read: Reader[Item],
    place: Callable[[Item], Place],
    limit: int,
    query: Mapping[str, str],
    edges: tuple[Place | None, Place | None],
) -> Stretch[Item]:
    """One page of the request's path.

    Args:
        read: reads the list.
        place: what ``before`` and ``after`` take of an item.
        limit: how many items a page holds; one more is read, which says whether there is another page.
        query: what else the path asks for; its edges are replaced.
        edges: ``before`` and ``after`` of this page, of which one at most is given.
    """
    before, after = edges
    found = read(limit=limit + 1, before=before, after=after)
    if after is not None and len(found) <= limit:
        # Back at the beginning, where a page is as full as it would be without coming from behind.
        before = after = None
        found = read(limit=limit + 1, before=None, after=None)
    cut = len(found) > limit
    items = found[-limit:] if after is not None else found[:limit]

    def path(**edge: Place) -> str:
        kept = {name: value for name, value in query.items() if name not in {"before", "after"}}
        return f"{request.path}?{urlencode({**kept, **edge})}"

    further = bool(items) and (cut or after is not None)
    back = bool(items) and (before is not None or (after is not None and cut))
    return Stretch(
        items,
        path(before=place(items[-1])) if further else None,
        path(after=place(items[0])) if back else None,
    )
