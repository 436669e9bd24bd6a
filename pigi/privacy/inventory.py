"""The inventory: every place where data of an organisation or a person is (promises P01 to P04 and P07).

Columns bring their facts with them, from the models; the places outside the databases are in `pigi.privacy.outside`.
Access exports, the erasure plan, retention, the final search and the record of processing read this and nothing else;
tests hold it against freshly migrated databases, the names in the code and a running installation.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pigi.domain.privacy import ColumnFacts, Erasure, Role
from pigi.domain.retention import PERIODS
from pigi.privacy.outside import DEVELOPMENT, OUTSIDE
from pigi.privacy.places import Place, Store
from pigi.store.schema import CONTROL, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from sqlalchemy import MetaData

    from pigi.domain.retention import Retention

__all__ = ["DEVELOPMENT", "OUTSIDE", "Place", "Store", "inventory", "kept_columns", "period_words"]


@cache
def inventory() -> tuple[Place, ...]:
    """Every place: the columns of both databases, then what lies outside."""
    return (*_columns(CONTROL, Store.CONTROL), *_columns(TENANT, Store.TENANT), *OUTSIDE)


def _columns(metadata: MetaData, store: Store) -> Iterator[Place]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            facts: ColumnFacts = column.info["facts"]
            yield Place(
                f"{store}.{table.name}.{column.name}",
                store,
                column.name.replace("_", " "),
                facts.subject,
                facts.category,
                # What is in an organisation's own database is there on its behalf.
                Role.PROCESSOR if store is Store.TENANT else facts.role,
                facts.purpose,
                facts.basis,
                facts.retention,
                facts.recipients,
                facts.access,
                facts.export,
                facts.erasure,
                "each row is read" if store is Store.CONTROL else "the database is no more",
            )


def kept_columns() -> frozenset[str]:
    """Columns, as ``table.column``, that still say something once an organisation or a person is erased.

    By law for their period; or, of the deletion itself, until it is done.
    """
    columns = (place for place in inventory() if place.store is Store.CONTROL)
    return frozenset(place.name.partition(".")[2] for place in columns if place.erasure is not Erasure.DELETED)


def period_words(retention: Retention) -> str:
    """How long a class is kept, in words: ``30 days from the end of the job``."""
    period = PERIODS[retention]
    if period.keep is None:
        return period.since
    return f"{_length(period.keep)} from {period.since}" if period.keep else f"until {period.since}"


def _length(period: timedelta) -> str:
    hours = int(period.total_seconds() // 3600)
    if hours <= 24:  # noqa: PLR2004 - a day
        return f"{hours} hour{'' if hours == 1 else 's'}"
    years, days = divmod(hours // 24, 365)
    # Leap days are in the number of days and not in the words.
    return f"{years} years" if years > 1 and days < years else f"{hours // 24} days"
