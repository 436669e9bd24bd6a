"""What projects and resources share: names that are sealed and still unique, locked rows, preconditions."""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pigi.clock import now
from pigi.domain.names import without_marks
from pigi.domain.preconditions import tag_of
from pigi.domain.resources import ResourceState
from pigi.errors import Refused, Temporary
from pigi.ids import is_id
from pigi.operations.audit import record
from pigi.store.engines import insert_into
from pigi.store.sealing import KEY_BYTES, bind
from pigi.store.tenant import IndexKey

if TYPE_CHECKING:
    from pigi.application import Application
    from pigi.domain.access import Caller
    from pigi.domain.preconditions import Tags
    from pigi.store.sessions import TenantSession

INDEX_KEY: Any = IndexKey.__table__
NAMES = "names"


def name_key(session: TenantSession, name: str, *scope: str) -> str:
    """The key of ``name`` where it must be unique: a keyed hash, the same for names that read the same.

    A plain hash of a name could be searched (B6.4 of the product's background); this one needs a key that is
    sealed in the same database. ``scope`` keeps equal names of different places from looking equal.
    """
    return hmac.digest(_index_key(session), bind(*scope, folded(name)), "sha256").hex()


def folded(name: str) -> str:
    """What names that read the same have in common."""
    return " ".join(unicodedata.normalize("NFKC", without_marks(name)).casefold().split())


def _index_key(session: TenantSession) -> bytes:
    """The organisation's key for hashes of names, made when first needed; it never changes, so a session keeps it."""
    known: bytes | None = session.info.get(NAMES)
    if known is None:
        known = session.info[NAMES] = _made_key(session)
    return known


def _made_key(session: TenantSession) -> bytes:
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
        raise Refused("not_found", sought=f"{table.name} {row_id}")
    return row


def check_active(*rows: Any) -> None:
    """Raise Refused ``archived`` unless all are in use."""
    if any(row.state != ResourceState.ACTIVE for row in rows):
        raise Refused("archived")


def note_move(
    application: Application, caller: Caller, subject: str, state: ResourceState, *, project: str | None = None
) -> None:
    """Enter into the audit chain that ``subject``, such as ``project:ID``, was archived or brought back.

    After the commit of the organisation's own database: nobody holds a lock there while waiting for the chain's end.
    """
    act = "archived" if state == ResourceState.ARCHIVED else "unarchived"
    kind = f"{subject.partition(':')[0]}.{act}"
    with application.control.begin() as session:
        record(session, application, kind, caller.name, caller.organisation_id, subject, project=project)


def check_expected(row: Any, expected: Tags | None) -> None:
    """Check that a change is based on the current revision (If-Match).

    Raises Refused: ``precondition_required`` without any, ``precondition_failed`` if it is not the current one.
    """
    if expected is None:
        raise Refused("precondition_required")
    if not expected.match_strongly(tag_of(row.revision, row.state)):
        raise Refused("precondition_failed")
