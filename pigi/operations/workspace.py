"""The way into an organisation's configuration: sessions, names that are sealed and still unique, and states."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from pigi.clock import now
from pigi.domain.preconditions import tag_of
from pigi.errors import Refused, Temporary
from pigi.ids import is_id
from pigi.store.engines import insert_into, lacks_table, lock_name
from pigi.store.sealing import KEY_BYTES, bind
from pigi.store.tenant import IndexKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.preconditions import Tags
    from pigi.store.sessions import TenantSession

INDEX_KEY: Any = IndexKey.__table__
NAMES = "names"
NAME_KEY = "name_key"
"""Both engines say the name of the column or index in what they refuse, and no other constraint has it."""


class State(StrEnum):
    """Whether a project or a resource is in use; names are permanent."""

    ACTIVE = "active"
    ARCHIVED = "archived"


@contextmanager
def changing(application: Application, caller: Caller) -> Iterator[TenantSession]:
    """The caller's organisation in one transaction, which commits at the end of the block.

    Raises:
        Refused: ``name_taken``, if the block gives something a name that is in use.
        Temporary: ``tenant_behind`` before the organisation's database was migrated, and as `Tenants.session`.
    """
    with _migrated(), _free_names(), application.tenants.session(caller.organisation_id) as session:
        yield session


@contextmanager
def reading(application: Application, caller: Caller) -> Iterator[TenantSession]:
    """The caller's organisation for reading: each statement sees what is committed. Raises Temporary as `changing`."""
    with _migrated(), application.tenants.read(caller.organisation_id) as session:
        yield session


@contextmanager
def _migrated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if lacks_table(error):
            raise Temporary("tenant_behind") from None
        raise


@contextmanager
def _free_names() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if NAME_KEY in str(error.orig):
            raise Refused("name_taken") from None
        raise


def name_key(session: TenantSession, name: str, *scope: str) -> str:
    """What stands for ``name`` where it must be unique: a keyed hash, the same for names that read the same.

    A plain hash of a name could be searched (B6.4 of the product's background); this one needs a key that is
    sealed in the same database. ``scope`` keeps equal names of different places from looking equal.
    """
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return hmac.digest(_index_key(session), bind(*scope, folded), "sha256").hex()


def _index_key(session: TenantSession) -> bytes:
    """The organisation's key for hashes of names, made when first needed."""
    found = _find_key(session)
    if found is None:
        row = {"use": NAMES, "key": _seal(session, secrets.token_hex(KEY_BYTES)), "created_at": now()}
        # Whoever comes second waits for the first, and then finds the first's.
        session.execute(insert_into(session.connection(), INDEX_KEY).values(row).on_conflict_do_nothing())
        found = _find_key(session)
    if found is None:
        raise Temporary("database_away")
    return bytes.fromhex(session.sealer.open(found, INDEX_KEY.name, "key", NAMES))


def _find_key(session: TenantSession) -> bytes | None:
    found: bytes | None = session.execute(select(INDEX_KEY.c.key).where(INDEX_KEY.c.use == NAMES)).scalar()
    return found


def _seal(session: TenantSession, key: str) -> bytes:
    return session.sealer.seal(key, INDEX_KEY.name, "key", NAMES)


def locked_row(session: TenantSession, table: Any, row_id: str, *conditions: Any) -> Any:
    """The row, held to the end of the transaction; raises Refused ``not_found``."""
    if not is_id(row_id):
        raise Refused("not_found")
    row = session.execute(select(table).where(table.c.id == row_id, *conditions).with_for_update()).first()
    if row is None:
        raise Refused("not_found")
    return row


def take_turns(session: TenantSession, what: str) -> None:
    """Let the organisation's changes of this sort follow one another, so that a count stays true until the commit."""
    lock_name(session.connection(), f"pigi.{what}")


def check_active(*rows: Any) -> None:
    """Raise Refused ``archived`` unless all are in use."""
    if any(row.state != State.ACTIVE for row in rows):
        raise Refused("archived")


def check_expected(row: Any, expected: Tags | None) -> None:
    """Hold a change to the revision that its asker knows.

    Raises Refused: ``precondition_required`` without any, ``precondition_failed`` if it is not the current one.
    """
    if expected is None:
        raise Refused("precondition_required")
    if not expected.match_strongly(tag_of(row.revision, row.state)):
        raise Refused("precondition_failed")
