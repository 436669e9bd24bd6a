"""Rotation of the keyring: everything that an older key wrapped, sealed or signed is put under the first.

All of it goes on while Pigi runs. A row changes only if it still is as it was read, so a run that is cut off is simply
repeated, and two of them do no harm.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError, ProgrammingError

from pigi.clock import now
from pigi.errors import Misconfigured, PigiError
from pigi.jobs.execution.isolation import for_each
from pigi.operations.audit import anchors_not_renewed, renew
from pigi.store.control import DataKey
from pigi.store.engines import insert_into
from pigi.store.keys import SEALED_BY_KEYRING, PublicKey
from pigi.store.signing import is_signed, jwk_of_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Connection

    from pigi.application import Application
    from pigi.jobs.execution.context import JobContext
    from pigi.store.keyring import Keyring

logger = logging.getLogger(__name__)
DATA_KEY: Any = DataKey.__table__
PUBLIC_KEY: Any = PublicKey.__table__
ENDORSED = "public key"
"""The use for which the keyring's first key signs another public key."""
NOWHERE = "?"
"""Stands for a key that the keyring has not, and that no row names."""
NAMESAKE = "another "
"""Before the name of a key that is in the keyring, while the rows that name it were wrapped with other bytes."""
SEALED = "sealed values"
SAMPLE = 20
"""Of how many data keys under a name at most it is tried whether that key opens them; one damaged row says nothing."""


def rotate_keyring(context: JobContext, application: Application) -> None:
    """Put everything under the keyring's first key. What fails for one organisation keeps no other waiting.

    A data key that is wrapped by a key which is missing is skipped and counted, as for any other failure.
    """
    endorse_public_keys(application)
    renew(application)
    for column, use in SEALED_BY_KEYRING.items():
        context.checkpoint()
        _reseal(application, column, use)
    with application.control.autocommit() as connection:
        old = select(DATA_KEY).where(DATA_KEY.c.keyring_id != application.keyring.current)
        rows = connection.execute(old.order_by(DATA_KEY.c.organisation_id, DATA_KEY.c.version)).all()
    for_each(context, rows, lambda row: _rewrap(application, row), "wrapping", lambda row: str(row.organisation_id))


def _rewrap(application: Application, row: Any) -> None:
    keyring = application.keyring
    key = keyring.unwrap(row.organisation_id, row.keyring_id, row.wrapped)
    name, wrapped = keyring.wrap(row.organisation_id, key)
    this = (DATA_KEY.c.organisation_id == row.organisation_id) & (DATA_KEY.c.version == row.version)
    with application.control.autocommit() as connection:
        unchanged = this & (DATA_KEY.c.wrapped == row.wrapped)
        connection.execute(update(DATA_KEY).where(unchanged).values(keyring_id=name, wrapped=wrapped))


def _reseal(application: Application, column: Column[Any], use: str) -> None:
    keyring, table = application.keyring, column.table
    for row_id, sealed, name in sealed_rows(application, column, use):
        if name in {None, keyring.current}:
            continue
        anew = keyring.seal(use, row_id, keyring.open(use, row_id, sealed))
        with application.control.autocommit() as connection:
            unchanged = (_row_of(table) == row_id) & (column == sealed)
            connection.execute(update(table).where(unchanged).values({column.name: anew}))


def sealed_rows(application: Application, column: Column[Any], use: str) -> Iterator[tuple[str, bytes, str | None]]:
    """Each sealed value: its row's id, itself, and which key sealed it, None if the keyring has that not."""
    with application.control.autocommit() as connection:
        rows: Any = connection.execute(select(_row_of(column.table), column).where(column.is_not(None))).all()
    for row_id, sealed in rows:
        yield row_id, sealed, application.keyring.sealed_by(use, row_id, sealed)


def _row_of(table: Any) -> Any:
    """The column for whose value a row's sealed columns are sealed."""
    return table.primary_key.columns[0]


def rows_by_key(application: Application) -> dict[str, Counter[str]]:
    """How many rows are under each key, by what they are.

    `NOWHERE` is any key that is not in the keyring, and `NAMESAKE` before a name an earlier key of that name.
    """
    found: dict[str, Counter[str]] = {name: Counter() for name in application.keyring.names}
    with application.control.autocommit() as connection:
        wrapped = select(DATA_KEY.c.keyring_id, func.count()).group_by(DATA_KEY.c.keyring_id)
        counts: Any = connection.execute(wrapped).all()
        for name, count in counts:
            own = name not in found or _opens_some(connection, application.keyring, name)
            found.setdefault(name if own else NAMESAKE + name, Counter())["data keys"] += count
    for column, use in SEALED_BY_KEYRING.items():
        for _row, _sealed, name in sealed_rows(application, column, use):
            found.setdefault(name or NOWHERE, Counter())[SEALED] += 1
    return found


def _opens_some(connection: Connection, keyring: Keyring, name: str) -> bool:
    rows = connection.execute(select(DATA_KEY).where(DATA_KEY.c.keyring_id == name).limit(SAMPLE)).all()
    return any(_opens(keyring, row) for row in rows)


def _opens(keyring: Keyring, row: Any) -> bool:
    try:
        keyring.unwrap(row.organisation_id, row.keyring_id, row.wrapped)
    except PigiError:
        return False
    return True


def names_needed(application: Application) -> tuple[str, ...]:
    """The keys of the keyring that a copy of the control database which is made now needs to be read."""
    found = rows_by_key(application)
    return tuple(name for name in application.keyring.names if found[name] or name == application.keyring.current)


def signatures_left(application: Application) -> int:
    """How many audit anchors and public keys only an older key answers for; rotating the keyring brings it to 0."""
    with application.control.autocommit() as connection:
        unendorsed = len(_unendorsed(connection, application.keyring))
    return anchors_not_renewed(application) + unendorsed


def refuse_missing_keys(application: Application) -> None:
    """Refuse to start with a keyring from which a key was taken too early.

    Raises Misconfigured: which key is missing, how many rows are under it, and what to do. A database that is away or
    not yet migrated is somebody else's to report. Single values that nothing opens are damaged rather: they are
    nobody's reason to stand still, but go to the log, and promise P20 fails.
    """
    try:
        found = rows_by_key(application)
    except (OperationalError, ProgrammingError):
        return
    missing = {name: rows for name, rows in found.items() if name not in application.keyring.names and rows}
    damaged, whole = missing.get(NOWHERE, Counter()), sum(found[name][SEALED] for name in application.keyring.names)
    if damaged and damaged[SEALED] < whole:
        logger.error("no key opens %d of %d sealed values: they are damaged", damaged[SEALED], damaged[SEALED] + whole)
        del missing[NOWHERE]
    if missing:
        raise Misconfigured([_sentence(name, rows) for name, rows in missing.items()])


def _sentence(name: str, rows: Counter[str]) -> str:
    counts = " and ".join(f"{count} {what}" for what, count in rows.items())
    if name.startswith(NAMESAKE):
        return (
            f"PIGI_SECRET_KEYS holds {name} than the one under which {counts} still are: put that one back behind the"
            " others, and give the new one a name of its own"
        )
    key = "a key" if name == NOWHERE else f"the key {name}"
    return (
        f"PIGI_SECRET_KEYS lacks {key}, under which {counts} still are: put it back behind the others, run"
        " `pigi keys rotate`, and take it away when `pigi keys status` shows 0 rows under it"
    )


def endorse_public_keys(application: Application) -> None:
    """Let the keyring's first key answer for all older public keys, so that what they signed stays checkable."""
    keyring, moment = application.keyring, now()
    with application.control.transaction() as connection:
        for public in _unendorsed(connection, keyring):
            row = {"x": public, "endorsement": keyring.signer.sign(ENDORSED, public.encode()), "added_at": moment}
            upsert = insert_into(connection, PUBLIC_KEY).values(row)
            anew = {"endorsement": row["endorsement"]}
            connection.execute(upsert.on_conflict_do_update(index_elements=[PUBLIC_KEY.c.x], set_=anew))


def public_jwks(application: Application) -> list[dict[str, str]]:
    """All public keys that check what Pigi signed, the one that signs now first, as JSON Web Keys (RFC 8037)."""
    own = application.keyring.signer.public_keys
    with application.control.autocommit() as connection:
        older = [public for public in _answered_for(connection, application.keyring) if public not in own]
    return [jwk_of_text(public) for public in (*own, *older)]


def _answered_for(connection: Connection, keyring: Keyring) -> dict[str, str]:
    """Stored public keys for which a key of the ring answers, with its signature; others' rows are left out."""
    rows = connection.execute(select(PUBLIC_KEY).order_by(PUBLIC_KEY.c.added_at.desc(), PUBLIC_KEY.c.x)).all()
    return {row.x: row.endorsement for row in rows if _endorsed(keyring.signer.public_keys, row.x, row.endorsement)}


def _unendorsed(connection: Connection, keyring: Keyring) -> list[str]:
    first, *others = keyring.signer.public_keys
    stored = _answered_for(connection, keyring)
    wanted = {*others, *stored} - {first}
    return sorted(one for one in wanted if not (one in stored and _endorsed([first], one, stored[one])))


def _endorsed(keys: list[str], public: str, endorsement: str) -> bool:
    return any(is_signed(key, ENDORSED, public.encode(), endorsement) for key in keys)
