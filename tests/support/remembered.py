"""Work that would be done anew in each test with the same result: each test has engines and an application of its own.

In production one engine compiles a statement once, and one application its routes. Tests make thousands of both,
so here what was compiled serves all of them. Nothing else about engines and applications is shared.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from werkzeug.routing import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

DIALECTS = (PGDialect_psycopg, SQLiteDialect_pysqlite)


@contextmanager
def remembered() -> Iterator[None]:
    """Compile each statement and each route once in the block."""
    with pytest.MonkeyPatch.context() as patch, _statements(patch):
        _builders(patch)
        yield


@contextmanager
def _statements(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLAlchemy keeps what it compiled by dialect, of which each engine has an instance: so these become equal."""
    caches: dict[str, dict[Any, Any]] = {dialect.name: {} for dialect in DIALECTS}
    for dialect in DIALECTS:
        patch.setattr(dialect, "__hash__", lambda self: hash(type(self)))
        patch.setattr(dialect, "__eq__", lambda self, other: type(self) is type(other))

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=caches[connection.dialect.name])

    event.listen(Engine, "engine_connect", share)
    try:
        yield
    finally:
        event.remove(Engine, "engine_connect", share)


def _builders(patch: pytest.MonkeyPatch) -> None:
    """Werkzeug compiles two functions for each route, to build its address; they depend on the route alone."""
    compiled: dict[tuple[str, bool], object] = {}
    compile_builder = Rule._compile_builder

    def remember(rule: Rule, append_unknown: bool = True) -> object:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    patch.setattr(Rule, "_compile_builder", remember)
