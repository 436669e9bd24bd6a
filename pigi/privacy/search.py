"""The final search: whether anything is left of an organisation or an account that was deleted (promise P26).

It shares nothing with what deletes (pyproject.toml holds that): it asks the live databases for their tables, reads
folders and Redis as they are, and takes from the inventory only what is kept and why. What cannot be looked at counts
as not searched: `search` raises rather than passes over it.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import redis
from sqlalchemy import URL, text
from sqlalchemy.engine import make_url

from pigi.domain.retention import Retention, keep
from pigi.errors import Temporary
from pigi.privacy.databases import counted_in, cut_log, look_into_bytes, look_into_file, look_into_tables
from pigi.privacy.inventory import DEVELOPMENT, kept_columns
from pigi.privacy.looked import Looked
from pigi.privacy.wanted import SearchTerms, Wanted
from pigi.store.engines import is_sqlite, make_engine
from pigi.store.instants import from_text
from pigi.store.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.settings import Settings
    from pigi.store.sessions import ControlDatabase

__all__ = ["Looked", "SearchTerms", "search"]

SMALL = 256 * 1024
"""Objects of up to so many bytes are read; of larger ones the name is looked at."""
PAGE = 1000
REDIS_SECONDS = 10.0


def search(settings: Settings, control: ControlDatabase, terms: SearchTerms) -> list[Looked]:
    """Look for the terms in every place, always in the same order; clean when nothing was ``found``.

    Raises:
        Temporary: ``search_incomplete`` or ``files_away`` when a place is out of reach; a database's own error when a
            database is.
    """
    wanted = Wanted(terms)
    kept = kept_columns()
    with control.autocommit() as connection:
        looked = list(look_into_tables(connection, wanted, kept, "control"))
        looked.append(_backups(connection, settings, wanted))
        sqlite = is_sqlite(connection)
    if sqlite:
        path = Path(make_url(settings.database_url).database or "")
        looked.append(look_into_file(control, path, wanted, kept))
    names = _names_of_databases(settings)
    looked.append(Looked("tenant", len(names), sum(_named(name, wanted) for name in names)))
    for organisation_id in terms.organisations:
        looked += _tenant_tables(settings, wanted, organisation_id, names)
    looked += [_files(settings, wanted), _redis(settings.redis_url, wanted)]
    return [*looked, *_home(settings, wanted)]


def _backups(connection: Any, settings: Settings, wanted: Wanted) -> Looked:
    """Backups are encrypted for a key that Pigi does not hold, so only their names and dates can be looked at."""
    query = text("SELECT made_at FROM backup WHERE removed_at IS NULL ORDER BY made_at DESC")
    made = [from_text(at) if isinstance(at, str) else at for at in connection.execute(query).scalars()]
    names = [found.name for found in Objects(settings.backups_url).find("")]
    until = (made[0] + keep(Retention.BACKUP)).date().isoformat() if made else None
    return Looked("backups", len(names), sum(_named(name, wanted) for name in names), len(made), until)


def _names_of_databases(settings: Settings) -> list[str]:
    """Every file where the organisations' databases are, those beside them too; or every database of their server."""
    url = make_url(settings.tenant_database_url)
    if url.get_backend_name() == "sqlite":
        folder = Path(url.database or "").parent
        return sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
    with _connected(url.set(database="postgres")) as connection:
        return list(connection.execute(text("SELECT datname FROM pg_database ORDER BY datname")).scalars())


def _tenant_tables(settings: Settings, wanted: Wanted, organisation_id: str, names: list[str]) -> list[Looked]:
    """What another organisation's database says of an account; nothing if it is gone."""
    url = make_url(settings.tenant_database_url)
    sqlite = url.get_backend_name() == "sqlite"
    name = (url.database or "").replace("{id}", organisation_id if sqlite else organisation_id.replace("-", ""))
    if Path(name).name not in names:
        return []
    url = url.set(database=name)
    if sqlite:
        file = f"file:{quote(str(Path(name).absolute()))}"
        url = URL.create("sqlite", database=file, query={"mode": "rw", "uri": "true"})
    with _connected(url) as connection:
        if sqlite:
            cut_log(connection)
        looked = list(look_into_tables(connection, wanted, (), "tenant"))
        return [*looked, look_into_bytes(Path(name), wanted, "tenant.files")] if sqlite else looked


class _connected:  # noqa: N801 - a context manager, used like a function
    """A connection of the search's own, on which each statement is its own transaction."""

    def __init__(self, url: URL) -> None:
        self._engine = make_engine(url, pool_size=1)

    def __enter__(self) -> Any:
        self._connection = self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        return self._connection

    def __exit__(self, *_exception: object) -> None:
        self._connection.close()
        self._engine.dispose()


def _files(settings: Settings, wanted: Wanted) -> Looked:
    """Names, and what small objects hold."""
    store = Objects(settings.files_url)
    looked = found = 0
    for object_ in store.find(""):
        looked += 1
        found += _named(object_.name, wanted)
        if object_.size <= SMALL:
            found += wanted.found(store.get(object_.name) or b"")
    return Looked("files", looked, found)


def _redis(url: str, wanted: Wanted) -> Looked:
    """Every key, and every value of whichever type."""
    looked = found = 0
    client: Any = redis.Redis.from_url(url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS)
    try:
        for key in client.scan_iter(count=PAGE):
            looked += 1
            found += wanted.found(key) + sum(wanted.found(value) for value in _values(client, key))
    except (redis.RedisError, OSError):
        raise Temporary("search_incomplete") from None
    finally:
        client.close()
    return Looked("redis", looked, found)


def _values(client: Any, key: bytes) -> Iterator[bytes]:
    match client.type(key):
        case b"string":
            yield client.get(key) or b""
        case b"list":
            for start in range(0, client.llen(key), PAGE):
                yield from client.lrange(key, start, start + PAGE - 1)
        case b"hash":
            yield from (part for pair in client.hscan_iter(key, count=PAGE) for part in pair)
        case b"set":
            yield from client.sscan_iter(key, count=PAGE)
        case b"zset":
            yield from (member for member, _score in client.zscan_iter(key, count=PAGE))
        case b"none":
            return
        case _:
            yield client.dump(key) or b""


def _home(settings: Settings, wanted: Wanted) -> list[Looked]:
    """The processes' logs, and whatever else lies in PIGI_HOME and is no database, no store and no backup."""
    looked: Counter[str] = Counter()
    found: Counter[str] = Counter()
    elsewhere = _searched_elsewhere(settings)
    for folder, folders, files in os.walk(settings.home):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if here / name not in elsewhere)
        for path in (here / name for name in sorted(files)):
            if path in elsewhere or not path.is_file():
                continue
            name = path.relative_to(settings.home)
            place = "development" if name.parts[0] in DEVELOPMENT else "logs" if name.parts[0] == "logs" else "home"
            looked[place] += 1
            found[place] += _named(str(name), wanted) + _in_file(path, wanted)
    # What stands in for a provider, or for somebody who tries Pigi, forgets when they do.
    development = Looked("development", looked["development"], 0, found["development"])
    return [*(Looked(place, looked[place], found[place]) for place in ("logs", "home")), development]


def _searched_elsewhere(settings: Settings) -> set[Path]:
    """Paths that other parts of the search look into, and the other organisations' databases."""
    database, tenants = (make_url(url) for url in (settings.database_url, settings.tenant_database_url))
    found = {Path(url.database or "").absolute() for url in (database,) if url.get_backend_name() == "sqlite"}
    found |= {path.with_name(f"{path.name}{side}") for path in found for side in ("-wal", "-shm")}
    if tenants.get_backend_name() == "sqlite":
        found.add(Path(tenants.database or "").absolute().parent)
    stores = (urlsplit(url) for url in (settings.files_url, settings.backups_url))
    return found | {Path(unquote(parts.path)) for parts in stores if parts.scheme == "file"}


def _in_file(path: Path, wanted: Wanted) -> int:
    try:
        return counted_in(path, wanted).total()
    except FileNotFoundError:
        return 0
    except OSError:
        raise Temporary("search_incomplete") from None


def _named(name: str, wanted: Wanted) -> int:
    """1 if a name holds a term."""
    return int(wanted.found(name.encode()) > 0)
