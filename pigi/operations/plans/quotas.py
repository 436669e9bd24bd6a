"""Quotas: how much configuration an organisation stores, and how often it writes.

One row of its database counts both and is changed in the transaction of each write. So no write adds anything up, and
of two at the limit the second waits for the first and is refused. Bytes are those of the sealed columns, which have the
length of what was written and 31 more, and `ROW_BYTES` for each row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import LargeBinary, bindparam, case, func, literal, select, update

from pigi.clock import now
from pigi.domain.limits import PROJECTS_KEPT, RESOURCES_KEPT, ROW_BYTES
from pigi.domain.plans import Limit
from pigi.errors import Refused
from pigi.operations.plans.entitlements import check_room
from pigi.store.engines import insert_into
from pigi.store.sealing import OVERHEAD
from pigi.store.tenant import Project, Resource, ResourceRevision, Storage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Table

    from pigi.domain.plans import Plan
    from pigi.store.sessions import TenantSession
    from pigi.store.tenants import Tenants

STORAGE: Any = Storage.__table__
COUNTED: Final[tuple[Table, ...]] = (Project.__table__, Resource.__table__, ResourceRevision.__table__)  # type: ignore[assignment]
"""The tables whose rows count, each with all its sealed columns."""
WEEK = timedelta(days=7)
NIGHT = timedelta(hours=12)


@dataclass(frozen=True)
class Growth:
    """What a write adds, or with negative numbers takes away: bytes, rows, and how many writes it is."""

    bytes: int = 0
    projects: int = 0
    resources: int = 0
    writes: int = 0

    def __add__(self, other: Growth) -> Growth:
        return Growth(
            self.bytes + other.bytes,
            self.projects + other.projects,
            self.resources + other.resources,
            self.writes + other.writes,
        )


@dataclass(frozen=True)
class Stored:
    """What an organisation stores, archived things included, and how often it wrote today (UTC)."""

    bytes: int = 0
    projects: int = 0
    resources: int = 0
    writes_today: int = 0


def weight(row: Mapping[str, Any]) -> int:
    """The bytes that a row with these sealed columns counts."""
    return ROW_BYTES + sum(len(value) for value in row.values() if isinstance(value, bytes))


def sealed_length(text: str) -> int:
    """The bytes of this text once it is sealed."""
    return len(text.encode()) + OVERHEAD


def total_weight(table: Any) -> Any:
    """An expression of the bytes that rows of ``table`` count together; of no row it is 0."""
    sealed = [func.coalesce(func.length(column), 0) for column in table.c if isinstance(column.type, LargeBinary)]
    return func.coalesce(func.sum(sum(sealed, start=literal(ROW_BYTES))), 0)


def _sum(table: Table) -> Any:
    return select(total_weight(table)).select_from(table).scalar_subquery()


def _many(table: Any) -> Any:
    return select(func.count()).select_from(table).scalar_subquery()


_BYTES: Any = sum((_sum(table) for table in COUNTED[1:]), start=_sum(COUNTED[0]))
_TRUTH: Any = (_BYTES, _many(Project.__table__), _many(Resource.__table__))
_ONLY = STORAGE.c.only == 1
_TODAY: Any = bindparam("today")
_CHARGE: Any = (
    update(STORAGE)
    .where(_ONLY)
    .values(
        bytes=STORAGE.c.bytes + bindparam("more_bytes"),
        projects=STORAGE.c.projects + bindparam("more_projects"),
        resources=STORAGE.c.resources + bindparam("more_resources"),
        writes=case((STORAGE.c.day == _TODAY, STORAGE.c.writes), else_=0) + bindparam("more_writes"),
        day=_TODAY,
    )
    .returning(STORAGE.c["bytes", "projects", "resources", "writes"])
)
_STORED: Any = select(STORAGE).where(_ONLY)
_DRIFT: Any = select(STORAGE.c["bytes", "projects", "resources", "counted_at", "day"], *_TRUTH).where(_ONLY)


def count_write(session: TenantSession, plan: Plan | None, growth: Growth) -> None:
    """Count what the session's transaction is about to write; without a ``plan`` it is never refused.

    Call it when the rows that are changed are held, and before the first is written: nothing else is locked after it,
    and it lets one writer of the organisation through at a time, to the commit.

    Raises Refused: ``plan_limit`` for bytes and for writes a day, ``too_many_kept``.
    """
    today = now().date()
    parameters = {
        "more_bytes": growth.bytes,
        "more_projects": growth.projects,
        "more_resources": growth.resources,
        "more_writes": growth.writes,
        "today": today,
    }
    row = session.execute(_CHARGE, parameters).first()
    if row is None:
        _begin(session, today)
        row = session.execute(_CHARGE, parameters).one()
    if plan is not None:
        _judge_growth(plan, Stored(row.bytes, row.projects, row.resources, row.writes), growth)


def check_storage(session: TenantSession, plan: Plan, growth: Growth) -> None:
    """Refuse what `count_write` would refuse as things stand, before anything is begun; raises as it, locks nothing."""
    seen = read_stored(session)
    after = Growth(seen.bytes, seen.projects, seen.resources, seen.writes_today) + growth
    _judge_growth(plan, Stored(after.bytes, after.projects, after.resources, after.writes), growth)


def _judge_growth(plan: Plan, after: Stored, growth: Growth) -> None:
    """Raise Refused if what there is with ``growth`` counted in is over a limit that the growth comes closer to."""
    for most, many, adding, what in (
        (PROJECTS_KEPT, after.projects, growth.projects, "projects"),
        (RESOURCES_KEPT, after.resources, growth.resources, "resources"),
    ):
        if adding > 0 and many > most:
            raise Refused("too_many_kept", what=what, limit=most, used=many - adding)
    if growth.bytes > 0:
        check_room(plan, Limit.BYTES, after.bytes, growth.bytes)
    if growth.writes > 0:
        check_room(plan, Limit.WRITES, after.writes_today, growth.writes)


def _begin(session: TenantSession, today: date) -> None:
    """Make the row, with what is stored already. Whoever comes second waits for the first, and then has the first's."""
    bytes_, projects, resources = _TRUTH
    facts = select(
        literal(1),
        bytes_,
        projects,
        resources,
        literal(today),
        literal(0),
        literal(now(), STORAGE.c.counted_at.type),
        literal(0),
    )
    names = ["only", "bytes", "projects", "resources", "day", "writes", "counted_at", "told"]
    connection = session.connection()
    # SQLite cannot tell ON CONFLICT from a join's ON without a WHERE.
    made = insert_into(connection, STORAGE).from_select(names, facts.where(literal(1) == 1))
    connection.execute(made.on_conflict_do_nothing())


def read_stored(session: TenantSession) -> Stored:
    """What is stored; before the first write that was counted, it is added up."""
    row = session.execute(_STORED).first()
    if row is None:
        truth: Any = session.execute(select(*_TRUTH)).one()
        return Stored(*truth)
    return Stored(row.bytes, row.projects, row.resources, row.writes if row.day == now().date() else 0)


def recount(tenants: Tenants, organisation_id: str) -> Growth:
    """Add everything up, and put right by how much the row was wrong; returns that.

    One statement sees both the row and all rows as of one moment, so the difference stays true whatever is written
    meanwhile, and nobody waits for the adding up.
    """
    with tenants.read(organisation_id) as session:
        seen = session.execute(_DRIFT).first()
    if seen is None:
        return Growth()
    drift = Growth(*(int(true - counted) for true, counted in zip(seen[5:], seen[:3], strict=True)))
    with tenants.session(organisation_id) as session:
        # Of two at once, one puts it right.
        session.execute(
            update(STORAGE)
            .where(_ONLY, STORAGE.c.counted_at == seen.counted_at)
            .values(
                bytes=STORAGE.c.bytes + drift.bytes,
                projects=STORAGE.c.projects + drift.projects,
                resources=STORAGE.c.resources + drift.resources,
                counted_at=now(),
            )
        )
    return drift


def recount_due(tenants: Tenants, organisation_id: str) -> None:
    """`recount`, if it was written since the last time, or that was a week ago."""
    with tenants.read(organisation_id) as session:
        row = session.execute(_STORED).first()
    if row is None:
        return
    age = now() - row.counted_at
    if age > WEEK or (age > NIGHT and row.day >= row.counted_at.date()):
        recount(tenants, organisation_id)
