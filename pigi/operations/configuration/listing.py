"""Lists of projects and resources in the orders that people want. Names are sealed, so no database sorts by them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from pigi.domain.searching import sort_key
from pigi.store.paging import read_stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Row

    from pigi.store.sessions import TenantSession

SORTED = 5_000
"""Of what there is in a list, the newest so many are sorted: each name must be opened for it."""


class Sort(StrEnum):
    """The orders of a list; names are permanent."""

    NEWEST = "newest"
    NAME = "name"
    CHANGED = "changed"


def listed_rows(  # noqa: PLR0913 - a stretch of which list, each part named at the call
    session: TenantSession,
    table: Any,
    which: Sequence[ColumnElement[bool]],
    sort: str,
    *,
    limit: int,
    before: str | int | None = None,
    after: str | int | None = None,
) -> list[Row[Any]]:
    """At most ``limit`` rows of projects or resources in the order asked for.

    ``before`` is the id of the last one of the page before, ``after`` that of the first one of the page after. It may
    have left the list meanwhile, archived or renamed, and the page still goes on from where it would be.
    """
    if sort == Sort.NEWEST:
        query = select(table).where(*which)
        return read_stretch(session.execute, query, table.c.id, limit=limit, before=before, after=after)
    edge = before if after is None else after
    ids = _sorted_ids(session, table, or_(and_(*which), table.c.id == edge), sort)
    at = ids.index(str(edge)) if edge in ids else None
    if at is None:
        wanted = ids[:limit]
    else:
        wanted = ids[max(0, at - limit) : at] if after is not None else ids[at + 1 : at + 1 + limit]
    rows = {row.id: row for row in session.execute(select(table).where(table.c.id.in_(wanted)))}
    return [rows[one] for one in wanted if one in rows]


def _sorted_ids(session: TenantSession, table: Any, which: ColumnElement[bool], sort: str) -> list[str]:
    query = select(table.c.id, table.c.name, table.c.updated_at).where(which).order_by(table.c.id.desc()).limit(SORTED)
    rows = session.execute(query).all()
    if sort == Sort.CHANGED:
        return [row.id for row in sorted(rows, key=lambda row: (row.updated_at, row.id), reverse=True)]
    unseal = session.sealer.open
    named = [(sort_key(unseal(row.name, table.name, "name", row.id)), row.id) for row in rows]
    return [row_id for _key, row_id in sorted(named)]
