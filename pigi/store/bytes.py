"""When the bytes of removed rows are gone: what each engine leaves behind, and how it is cleared.

SQLite overwrites what it frees (``secure_delete``), but the write-ahead log still has older pages until it is written
back and cut off. PostgreSQL keeps removed rows until a vacuum, and then their bytes in the free space of pages;
``VACUUM FULL`` writes the table anew. docs/operations.md tells operators what follows for files and disks.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import OperationalError

from pigi.domain.privacy import Category
from pigi.store.engines import is_sqlite, lock_wait, truncate_log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

    from pigi.store.sessions import ControlDatabase

WORTH_WRITING_ANEW = frozenset({Category.CONTACT, Category.CONTENT})
"""What a table must hold so that it is written anew: names, addresses, texts. Such tables of the control database are
small, since their rows live for days; pseudonyms in logs lead nowhere once what they stand for is gone."""
LOCK_SECONDS = 0.2
"""How long writing a table anew waits for its lock, and the log for its readers: others queue behind it."""
TRIES, PAUSE_SECONDS = 5, 0.5


def clear_bytes(control: ControlDatabase, tables: Iterable[Any]) -> bool:
    """Clear what rows removed from these tables left in files; whether it was possible, which a long reader prevents.

    Repeatable. Run it after the commit, in no transaction.
    """
    with lock_wait(LOCK_SECONDS), control.autocommit() as connection:
        if is_sqlite(connection):
            return _patiently(partial(truncate_log, connection))
        done = [_patiently(partial(_vacuum, connection, table)) for table in tables]
        return all(done)


def _patiently(act: Callable[[], bool]) -> bool:
    for attempt in range(TRIES):
        if act():
            return True
        if attempt + 1 < TRIES:
            time.sleep(PAUSE_SECONDS)
    return False


def _vacuum(connection: Connection, table: Any) -> bool:
    anew = any(column.info["facts"].category in WORTH_WRITING_ANEW for column in table.columns)
    name = connection.dialect.identifier_preparer.format_table(table)
    try:
        connection.exec_driver_sql(f"VACUUM {'(FULL)' if anew else ''} {name}")
    except OperationalError:
        return False
    return True
