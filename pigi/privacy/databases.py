"""The part of the final search that looks into databases: every row of every table, and a file's own bytes.

Tables and columns are those that the live database says it has, not those that Pigi's models describe.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Date, DateTime, Float, Integer, MetaData, Numeric, Time, inspect, select, tuple_

from pigi.privacy.looked import Looked
from pigi.store.engines import lock_wait, truncate_log

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection, Table

    from pigi.privacy.wanted import Wanted
    from pigi.store.sessions import ControlDatabase

BATCH = 1000
"""Rows read at a time."""
PIECE = 1 << 20
"""Bytes read at a time."""
NUMBERS = (Boolean, Date, DateTime, Float, Integer, Numeric, Time)
"""Types that cannot hold an identifier or a text."""
WAL_HEADER, FRAME_HEADER = 32, 24
"""Bytes; https://www.sqlite.org/fileformat.html, section 4."""
PATIENCE = 2.0
"""Seconds that readers and writers may stand in the way of cutting the write-ahead log."""


def look_into_tables(connection: Connection, wanted: Wanted, kept: Collection[str], store: str) -> Iterator[Looked]:
    """What each table holds; a hit in a column of ``kept``, named ``table.column``, is reported apart."""
    metadata = MetaData()
    metadata.reflect(connection)
    for table in sorted(metadata.tables.values(), key=lambda found: found.name):
        rows = 0
        hits: Counter[str] = Counter()
        for batch in _batches(connection, table):
            rows += len(batch)
            hits.update(_hits(batch, wanted))
        held = sum(count for column, count in hits.items() if f"{table.name}.{column}" in kept)
        yield Looked(f"{store}.{table.name}", rows, hits.total() - held, held)


def _batches(connection: Connection, table: Table, only: Collection[str] = ()) -> Iterator[Sequence[Any]]:
    """Rows as mappings of their texts and blobs, in the order of the key, so that no statement lasts long."""
    key: list[Any] = list(table.primary_key.columns)
    texts = [column for column in table.columns if not isinstance(column.type, NUMBERS)]
    shown = [column for column in texts if not only or column.name in only]
    query = select(*shown, *(column.label(f"key {place}") for place, column in enumerate(key)))
    last: tuple[Any, ...] = ()
    while shown:
        after = query.where(tuple_(*key) > tuple_(*last)) if last else query
        batch = connection.execute(after.order_by(*key).limit(BATCH) if key else after).all()
        yield [{column.name: row[place] for place, column in enumerate(shown)} for row in batch]
        if len(batch) < BATCH or not key:
            return
        last = tuple(batch[-1][len(shown) :])


def _hits(batch: Sequence[dict[str, Any]], wanted: Wanted) -> Counter[str]:
    """In how many cells of each column there is something."""
    cells = [(name, _bytes(value)) for row in batch for name, value in row.items() if value is not None]
    if not wanted.found(b"\0".join(data for _name, data in cells)):
        return Counter()
    return Counter(name for name, data in cells if wanted.found(data))


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else str(value).encode()


def look_into_file(control: ControlDatabase, path: Path, wanted: Wanted, kept: Collection[str]) -> Looked:
    """What the bytes of a SQLite file and its write-ahead log hold beyond what kept rows explain.

    Found is what lies in pages that were freed, in the free space of others, and in what the log has not let go of.
    """
    with control.autocommit() as connection:
        cut_log(connection)
    looked = look_into_bytes(path, wanted, "control.files")
    if not looked.found:
        return looked
    # Some of it may be rows that are kept; that they are counted while nobody writes makes the numbers agree.
    with control.transaction() as connection:
        explained = _explained(connection, wanted, kept)
        with control.autocommit() as other:
            other.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        return look_into_bytes(path, wanted, "control.files", explained)


def cut_log(connection: Connection) -> None:
    """Have SQLite's write-ahead log let go of pages as they were, if readers and writers allow it soon."""
    with lock_wait(PATIENCE):
        truncate_log(connection)


def _explained(connection: Connection, wanted: Wanted, kept: Collection[str]) -> Counter[bytes]:
    """How often each term may be in the file: once for each kept cell, and once for each index of its column."""
    inspector = inspect(connection)
    metadata = MetaData()
    found: Counter[bytes] = Counter()
    for name in sorted({column.partition(".")[0] for column in kept} & set(inspector.get_table_names())):
        columns = {column.partition(".")[2] for column in kept if column.startswith(f"{name}.")}
        metadata.reflect(connection, only=[name])
        times = {column: 1 + _indexes(connection, name, column) for column in columns}
        for batch in _batches(connection, metadata.tables[name], columns):
            for column, value in ((column, value) for row in batch for column, value in row.items() if value):
                found.update({term: count * times[column] for term, count in wanted.counted(_bytes(value)).items()})
    return found


def _indexes(connection: Connection, table: str, column: str) -> int:
    """How many indexes hold the column, those of keys and constraints among them."""
    query = (
        "SELECT count(*) FROM pragma_index_list(?) AS list, pragma_index_info(list.name) AS info WHERE info.name = ?"
    )
    return int(connection.exec_driver_sql(query, (table, column)).scalar_one())


def look_into_bytes(path: Path, wanted: Wanted, place: str, explained: Mapping[bytes, int] | None = None) -> Looked:
    """What the bytes of a SQLite file and its write-ahead log hold beyond what is ``explained``."""
    size = path.stat().st_size
    extra = counted_in(path, wanted)
    extra.subtract(explained or {})
    log = path.with_name(f"{path.name}-wal")
    length = log.stat().st_size if log.exists() else 0
    held = sum((explained or {}).values())
    return Looked(place, size + length, (+extra).total() + _in_log(log, path, wanted), held)


def counted_in(path: Path, wanted: Wanted) -> Counter[bytes]:
    """How often each term is in a file, read piece by piece."""
    found: Counter[bytes] = Counter()
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(wanted.counted(tail + piece))
            tail = (tail + piece)[-(wanted.longest - 1) :] if wanted.longest > 1 else b""
            # What fits into the tail was counted, and would be again.
            found.subtract(wanted.counted(tail))
        found.update(wanted.counted(tail))
    return found


def _in_log(log: Path, path: Path, wanted: Wanted) -> int:
    """What pages in the write-ahead log hold beyond the same pages in the file, which are as new or newer."""
    if not log.exists():
        return 0
    found = 0
    with log.open("rb") as frames, path.open("rb") as pages:
        size = int.from_bytes(frames.read(WAL_HEADER)[8:12], "big")
        while size and len(frame := frames.read(FRAME_HEADER + size)) == FRAME_HEADER + size:
            in_frame = wanted.counted(frame[FRAME_HEADER:])
            if in_frame:
                pages.seek((int.from_bytes(frame[:4], "big") - 1) * size)
                in_frame.subtract(wanted.counted(pages.read(size)))
                found += (+in_frame).total()
    return found
