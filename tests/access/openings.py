"""Which databases are opened, seen from below: by Python's own audit events and by the driver, not by Pigi's word."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event, text

from pigi.store import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings

_listening: list[set[str]] = []


def _hook(name: str, arguments: tuple[Any, ...]) -> None:
    """Notes the files that are opened, by SQLite or by anybody. Python never takes an audit hook away again."""
    if _listening and name in {"sqlite3.connect", "open"}:
        _note(str(arguments[0]))


def _connecting(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> None:
    """Notes what SQLAlchemy is about to connect to, which is how PostgreSQL is reached."""
    if _listening:
        _note(f"{arguments} {parameters.get('dbname', '')}")


def _note(place: str) -> None:
    for found in _listening:
        found.add(place)


@contextmanager
def openings() -> Iterator[set[str]]:
    """Files opened and databases connected to during the block, by this process."""
    if not event.contains(Engine, "do_connect", _connecting):
        event.listen(Engine, "do_connect", _connecting)
        sys.addaudithook(_hook)
    found: set[str] = set()
    _listening.append(found)
    try:
        yield found
    finally:
        _listening.remove(found)


def of_organisation(found: set[str], organisation_id: str) -> set[str]:
    """Those among ``found`` that are of an organisation: files carry its id, databases the same without hyphens."""
    names = (organisation_id, organisation_id.replace("-", ""))
    return {place for place in found if any(name in place for name in names)}


def connections(settings: Settings, organisation_id: str) -> int:
    """How many connections the PostgreSQL server has to an organisation's database; pools keep theirs open."""
    statement = text("SELECT count(*) FROM pg_stat_activity WHERE datname LIKE :name")
    with servers.maintenance(settings.database_url) as connection:
        return int(connection.scalar(statement, {"name": f"%{organisation_id.replace('-', '')}"}) or 0)
