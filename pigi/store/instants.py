"""Moments as both databases store them, and the database's own clock.

PostgreSQL keeps ``timestamptz``. SQLite has no such type: there a moment is fixed-width text in UTC, which
sorts as time does. `database_now` is the clock that leases and due times go by.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import DateTime, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

LENGTH = len("2026-01-01T00:00:00.000000")


def aware(moment: datetime) -> datetime:
    """``moment`` itself; refuses a naive one with ValueError, which PostgreSQL would take for its own zone's."""
    if moment.tzinfo is None:
        message = "a moment must be aware"
        raise ValueError(message)
    return moment


def to_text(moment: datetime) -> str:
    """The fixed-width form; refuses a naive moment with ValueError."""
    # strftime and strptime cost ten times as much, and this runs several times a statement.
    return aware(moment).astimezone(UTC).isoformat(timespec="microseconds")[:LENGTH] + "Z"


def from_text(text: str) -> datetime:
    """The moment that `to_text` wrote."""
    return datetime.fromisoformat(text)


def sqlite_now(seconds: float) -> str:
    """What ``pigi_now`` answers on SQLite: one machine, so its clock is the database's."""
    return to_text(datetime.now(UTC) + timedelta(seconds=seconds))


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text of 27 characters on SQLite."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(27))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuses a naive moment with ValueError."""
        if value is None:
            return None
        return to_text(value) if dialect.name == "sqlite" else aware(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """An aware moment in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return from_text(value)
        moment: datetime = value
        return moment.astimezone(UTC)


class database_now(FunctionElement[datetime]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock, plus some seconds (a number or a bound parameter)."""

    type = Instant()
    inherit_cache = True


@compiles(database_now, "sqlite")
def _sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"pigi_now({compiler.process(element.clauses, **options)})"


@compiles(database_now, "postgresql")
def _postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"(statement_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)}))"


class database_now_text(FunctionElement[str]):  # noqa: N801 - reads as the SQL function it is
    """The database's clock in the form of `to_text`, for timelines."""

    type = String()
    inherit_cache = True


@compiles(database_now_text, "sqlite")
def _sqlite_text(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "pigi_now(0)"


@compiles(database_now_text, "postgresql")
def _postgresql_text(_element: Any, _compiler: Any, **_options: Any) -> str:
    return """to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
