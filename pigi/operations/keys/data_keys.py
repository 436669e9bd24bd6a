"""Rotation of an organisation's data key: everything it sealed is sealed anew, while people read and write.

The state is in the rows: an organisation with more than one data key is being rotated, and a sealed value says itself
which key it needs. So whoever is cut off leaves nothing to mend, and the next run goes on. A value changes only if it
still is as it was read. The old key goes a day after nothing is sealed with it any more (`KEPT_EMPTY`).
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, and_, delete, func, literal, select, true, tuple_, update

from pigi.clock import now
from pigi.domain.keys import KEPT_EMPTY
from pigi.privacy.leads import SEALED_FOR
from pigi.store.billing import BillingLink
from pigi.store.control import DataKey
from pigi.store.schema import TENANT
from pigi.store.sealing import FORMAT, HEADER, SealBrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, ColumnElement, Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.sealing import Sealer

logger = logging.getLogger(__name__)
KEY: Any = DataKey.__table__
BATCH = 50
"""Values that are sealed anew in one transaction: people's own writes wait for no more than that."""
SEALED_IN_TENANT: tuple[Column[Any], ...] = tuple(
    column for table in TENANT.sorted_tables for column in table.columns if isinstance(column.type, LargeBinary)
)
"""Every sealed column of an organisation's database: there, whatever holds bytes is sealed."""
LINK: Any = BillingLink.__table__
SEALED_IN_CONTROL: tuple[Column[Any], ...] = (LINK.c.url,)
"""Columns of the control database that an organisation's key seals; their tables name the organisation."""


def rotate_data_key(context: JobContext, application: Application) -> None:
    """Seal everything of the job's organisation with its newest data key, and destroy older ones that are over.

    Without an older one there is nothing to do. Raises what the databases raise; what was done stays. Raises
    SealBrokenError at the end for values that no key opens: all others are sealed anew, and the old key is kept.
    """
    organisation = context.organisation_id
    if len(versions_of(application, organisation)) > 1:
        # Also what this process read before another one renewed the key.
        application.tenants.forget(organisation)
        _seal_anew(context, application, organisation)
        retire(application, organisation)


def versions_of(application: Application, organisation: str) -> list[Any]:
    """The organisation's data keys, the oldest first."""
    query = select(KEY.c.version, KEY.c.created_at, KEY.c.emptied_at).where(KEY.c.organisation_id == organisation)
    with application.control.autocommit() as connection:
        return list(connection.execute(query.order_by(KEY.c.version)).all())


def values_left(application: Application, organisation: str) -> int:
    """How many values are sealed with another key than the newest; raises TenantMissingError for one that is gone."""
    current = max((row.version for row in versions_of(application, organisation)), default=0)
    with application.tenants.read(organisation) as session:
        connection = session.connection()
        left = sum(_count(connection, column, current) for column in SEALED_IN_TENANT)
    with application.control.autocommit() as connection:
        own = [(column, column.table.c.organisation_id == organisation) for column in SEALED_IN_CONTROL]
        return left + sum(_count(connection, column, current, among) for column, among in own)


def _seal_anew(context: JobContext, application: Application, organisation: str) -> None:
    total, done, broken = values_left(application, organisation), 0, 0
    for column in (*SEALED_IN_TENANT, *SEALED_IN_CONTROL):
        for sealed, not_opened in _column_anew(application, organisation, column):
            done, broken = done + sealed, broken + not_opened
            context.checkpoint()
            context.progress(min(done, total), max(total, 1), "sealing anew")
    if broken:
        logger.error("no key opens %d values of %s: its old key is kept", broken, organisation)
        raise SealBrokenError


def _column_anew(application: Application, organisation: str, column: Column[Any]) -> Iterator[tuple[int, int]]:
    """Walk through a column in the order of its rows' keys, a transaction a batch.

    Yields of each how many values it sealed, and how many it could not open.
    """
    key = list(column.table.primary_key.columns)
    after: tuple[Any, ...] | None = None
    while True:
        with _where(application, organisation, column) as (connection, sealer, among):
            old = [_is_old(column, sealer.current), among]
            if after is not None:
                old.append(tuple_(*key) > tuple_(*after) if len(key) > 1 else key[0] > after[0])
            query = select(*column.table.columns).where(*old).order_by(*key).limit(BATCH)
            rows = connection.execute(query).all()
            sealed = sum(_value_anew(connection, sealer, column, row) for row in rows)
        if not rows:
            return
        after = tuple(getattr(rows[-1], part.key) for part in key)
        yield sealed, len(rows) - sealed


@contextmanager
def _where(
    application: Application, organisation: str, column: Column[Any]
) -> Iterator[tuple[Connection, Sealer, ColumnElement[bool]]]:
    """A transaction in the database of a column, the organisation's sealer, and which rows are its own."""
    if column in SEALED_IN_CONTROL:
        with application.tenants.read(organisation) as session, application.control.transaction() as connection:
            yield connection, session.sealer, column.table.c.organisation_id == organisation
        return
    with application.tenants.session(organisation) as session:
        yield session.connection(), session.sealer, true()


def _value_anew(connection: Connection, sealer: Sealer, column: Column[Any], row: Any) -> bool:
    """Seal one value anew, unless it was changed meanwhile; False if no key opens it."""
    table, facts = column.table, row._mapping  # noqa: SLF001 - SQLAlchemy's name for a row as a mapping
    place = SEALED_FOR.get(table.name, "{id}").format(**facts)
    sealed = facts[column.name]
    try:
        opened = sealer.open_bytes(sealed, table.name, column.name, place)
    except SealBrokenError:
        return False
    anew = sealer.seal_bytes(opened, table.name, column.name, place)
    this = and_(*(part == facts[part.name] for part in table.primary_key.columns), column == sealed)
    connection.execute(update(table).where(this).values({column.name: anew}))
    return True


def retire(application: Application, organisation: str) -> None:
    """Note since when old keys seal nothing, and destroy those that did so for long enough, if they still do not."""
    moment = now()
    *old, newest = versions_of(application, organisation)
    empty = values_left(application, organisation) == 0
    with application.control.transaction() as connection:
        for row in old:
            this = (KEY.c.organisation_id == organisation) & (KEY.c.version == row.version)
            if not empty:
                connection.execute(update(KEY).where(this).values(emptied_at=None))
            elif row.emptied_at is None:
                connection.execute(update(KEY).where(this).values(emptied_at=moment))
            elif row.emptied_at <= moment - KEPT_EMPTY and row.version < newest.version:
                connection.execute(delete(KEY).where(this))


def _count(connection: Connection, column: Column[Any], current: int, among: ColumnElement[bool] | None = None) -> int:
    query = select(func.count()).select_from(column.table).where(_is_old(column, current))
    return connection.execute(query if among is None else query.where(among)).scalar() or 0


def _is_old(column: Column[Any], current: int) -> ColumnElement[bool]:
    """Whether a value is sealed with another key than this one, by its header; one that is absent is not."""
    header = literal(HEADER.pack(FORMAT, current), LargeBinary)
    return func.substr(column, 1, HEADER.size, type_=LargeBinary) != header
