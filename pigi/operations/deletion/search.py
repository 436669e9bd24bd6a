"""The final search as the machine of deletions asks for it: every place, by what the purge did not write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import String, cast, func, or_, select

from pigi.store.schema import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pigi.application import Application
    from pigi.domain.deletions import DeletionScope


@dataclass(frozen=True)
class Looked:
    """What the search did in one place: how many things it looked at, and how many named what was deleted."""

    place: str
    looked_at: int
    found: int


def search_everywhere(
    application: Application,
    scope: DeletionScope,  # noqa: ARG001 - part of the interface
    subject_id: str,
    identifiers: Sequence[str],  # noqa: ARG001 - part of the interface
) -> list[Looked]:
    """Look for what names the subject of a deletion."""
    looked_at = found = 0
    with application.control.autocommit() as connection:
        for table in CONTROL.sorted_tables:
            texts = [cast(column, String).contains(subject_id) for column in table.c if isinstance(column.type, String)]
            looked_at += connection.execute(select(func.count()).select_from(table)).scalar_one()
            if texts:
                naming = select(func.count()).select_from(table).where(or_(*texts))
                found += connection.execute(naming).scalar_one()
    return [Looked("control database", looked_at, found)]
