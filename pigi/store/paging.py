"""Pages of long lists: the rows beside a place, in either direction, so that a reader can go on and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import ColumnElement, Row, Select


def read_stretch(  # noqa: PLR0913 - what makes a stretch, each named at the call
    execute: Callable[[Select[Any]], Iterable[Row[Any]]],
    query: Select[Any],
    place: ColumnElement[Any],
    *,
    limit: int,
    before: object | None = None,
    after: object | None = None,
    lowest_first: bool = False,
) -> list[Row[Any]]:
    """At most ``limit`` rows of a query, the highest ``place`` first, or the lowest.

    Args:
        execute: runs the statement, of a connection or a session.
        query: which rows; no order, no limit.
        place: the column by which they are ordered, of which no two rows have the same.
        limit: how many at most.
        before: the place of the last row of the page before: the rows that follow it.
        after: the place of the first row of the page after: the rows that lead up to it, in the same order.
        lowest_first: the other order.
    """
    backwards = after is not None
    falling = lowest_first is backwards
    edge = after if backwards else before
    if edge is not None:
        query = query.where(place < edge if falling else place > edge)
    rows = list(execute(query.order_by(place.desc() if falling else place.asc()).limit(limit)))
    return rows[::-1] if backwards else rows
